import { useQuery } from "@tanstack/react-query";
import { IconCircleCheck } from "@tabler/icons-react";
import { Link } from "wouter";

import { alertsQuery, approvalsQuery } from "../api/lists";
import type { Approval, ServerEvent } from "../api/types";
import { describe, tone } from "../events/describe";
import { processAddress } from "../processes/process";
import { plural } from "../ui/format";
import { Remote } from "../ui/Remote";
import { Card } from "../ui/Section";
import { Since } from "../ui/Since";
import classes from "./Attention.module.css";

const SHOWN = 5;

/** What somebody should look at: calls that wait for a word, and what lately went wrong. */
export function Attention() {
  const approvals = useQuery(approvalsQuery);
  const alerts = useQuery(alertsQuery);
  return (
    <Remote query={approvals} height={40}>
      {(asked) => (
        <Remote query={alerts} height={40}>
          {(failed) => <Found approvals={asked} alerts={failed.slice(0, SHOWN)} />}
        </Remote>
      )}
    </Remote>
  );
}

interface FoundProps {
  approvals: readonly Approval[];
  alerts: readonly ServerEvent[];
}

function Found({ approvals, alerts }: FoundProps) {
  const waiting = approvals.filter((each) => each.status === "pending").length;
  if (waiting === 0 && alerts.length === 0) {
    return (
      <p className={classes.well}>
        <IconCircleCheck size={18} aria-hidden="true" />
        Nothing has failed within the last day, and nothing waits for you.
      </p>
    );
  }
  return (
    <Card>
      <ul className={classes.list}>
        {waiting > 0 ? (
          <li data-tone="warn">
            <Link href="/approvals">{plural(waiting, "call")} to approve or deny</Link>
          </li>
        ) : null}
        {alerts.map((event) => (
          <li key={event.id} data-tone={tone(event.type)}>
            <Alert event={event} />
          </li>
        ))}
      </ul>
    </Card>
  );
}

function Alert({ event }: { event: ServerEvent }) {
  const name = <code>{event.type}</code>;
  return (
    <>
      {event.process_id ? <Link href={processAddress(event.process_id)}>{name}</Link> : name}
      <span className={classes.detail} title={describe(event)}>
        {event.agent ? <strong>{event.agent} </strong> : null}
        {describe(event)}
      </span>
      <time className={classes.time} dateTime={event.timestamp}>
        <Since timestamp={event.timestamp ?? ""} />
      </time>
    </>
  );
}
