import { useQuery } from "@tanstack/react-query";
import { Link } from "wouter";

import { processesQuery } from "../api/lists";
import type { ProcessSummary } from "../api/types";
import { isAlive, nameOf, processAddress, waitOf, workOf } from "../processes/process";
import { count, fullTime, usd } from "../ui/format";
import { Remote } from "../ui/Remote";
import { Card, Nothing } from "../ui/Section";
import { Since } from "../ui/Since";
import { Status } from "../ui/StatusDot";
import classes from "./ProcessTable.module.css";

const SHOWN = 12;

/** The processes that live, those that did something last first; on a phone each row becomes a card. */
export function ProcessTable() {
  const processes = useQuery(processesQuery);
  return (
    <Remote query={processes} height={160}>
      {(all) => {
        const active = all.filter((process) => isAlive(process.status)).sort(byActivity);
        if (active.length > 0)
          return <Table processes={active.slice(0, SHOWN)} more={active.length - SHOWN} />;
        return <Nothing>No process runs. The first message to an agent starts one.</Nothing>;
      }}
    </Remote>
  );
}

function byActivity(one: ProcessSummary, other: ProcessSummary): number {
  return other.metrics.last_active_at.localeCompare(one.metrics.last_active_at);
}

function Table({ processes, more }: { processes: readonly ProcessSummary[]; more: number }) {
  return (
    <Card>
      <table className={classes.table}>
        <thead>
          <tr>
            <th scope="col">Status</th>
            <th scope="col">Agent</th>
            <th scope="col">Process</th>
            <th scope="col">Started</th>
            <th scope="col" className={classes.number}>
              Model calls
            </th>
            <th scope="col" className={classes.number}>
              Tokens
            </th>
            <th scope="col" className={classes.number}>
              Cost
            </th>
          </tr>
        </thead>
        <tbody>
          {processes.map((process) => (
            <Row key={process.id} process={process} />
          ))}
        </tbody>
      </table>
      {more > 0 ? (
        <p className={classes.more}>
          <Link href="/processes">and {count(more)} more</Link>
        </p>
      ) : null}
    </Card>
  );
}

function Row({ process }: { process: ProcessSummary }) {
  const { metrics } = process;
  return (
    <tr>
      <td data-label="Status">
        <Status status={process.status} />
      </td>
      <td data-label="Agent" className={classes.agent}>
        <Link href={processAddress(process.id)}>{nameOf(process)}</Link>
        {process.task ? <span className={classes.task}>{workOf(process.task)}</span> : null}
      </td>
      <td data-label="Process" className={classes.process}>
        <code title={process.id}>{process.name ?? process.id}</code>
        <Incarnation process={process} />
      </td>
      <td data-label="Started">
        <time dateTime={process.started_at} title={fullTime(process.started_at)}>
          <Since timestamp={process.started_at} />
        </time>
      </td>
      <td data-label="Model calls" className={classes.number}>
        {count(metrics.iterations)}
      </td>
      <td data-label="Tokens" className={classes.number}>
        {count(metrics.input_tokens + metrics.output_tokens)}
      </td>
      <td data-label="Cost" className={classes.number}>
        {usd(metrics.cost_usd)}
      </td>
    </tr>
  );
}

/** Says so when this is not the first life of the process, and what it waits for. */
function Incarnation({ process }: { process: ProcessSummary }) {
  const notes = [
    process.incarnation > 1 ? `incarnation #${process.incarnation}` : "",
    process.waiting_on ? `waiting on ${waitOf(process.waiting_on)}` : "",
  ].filter((note) => note !== "");
  return notes.length > 0 ? <span className={classes.notes}>{notes.join(", ")}</span> : null;
}
