import { Button } from "@mantine/core";
import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { IconCalendarTime, IconPlus } from "@tabler/icons-react";
import { useState } from "react";
import { Link } from "wouter";

import { calls, perform } from "../api/calls";
import { schedulesQuery } from "../api/lists";
import type { Schedule } from "../api/types";
import { chatAddress } from "../chat/useSelectedAgent";
import { AsCommand } from "../ui/AsCommand";
import { EmptyState } from "../ui/EmptyState";
import { fullTime } from "../ui/format";
import { Page } from "../ui/Page";
import { Problem } from "../ui/Problem";
import { Remote } from "../ui/Remote";
import { Card } from "../ui/Section";
import { AddSchedule } from "./AddSchedule";
import classes from "./SchedulesPage.module.css";

/** Messages that agents get by the clock. */
export default function SchedulesPage() {
  const schedules = useQuery(schedulesQuery);
  const [adding, setAdding] = useState(false);
  return (
    <Page
      title="Schedules"
      aside={
        <Button size="compact-md" leftSection={<IconPlus size={16} />} onClick={() => setAdding(true)}>
          New schedule
        </Button>
      }
    >
      <Remote query={schedules} height={200}>
        {(all) =>
          all.length === 0 ? (
            <EmptyState icon={<IconCalendarTime size={22} />} title="Nothing is scheduled">
              A schedule sends an agent a message by the clock: every morning, each hour, the first of a
              month.
            </EmptyState>
          ) : (
            <ul className={classes.list}>
              {all.map((schedule) => (
                <li key={schedule.name}>
                  <Item schedule={schedule} />
                </li>
              ))}
            </ul>
          )
        }
      </Remote>
      {adding ? <AddSchedule onClose={() => setAdding(false)} /> : null}
    </Page>
  );
}

function Item({ schedule }: { schedule: Schedule }) {
  const queries = useQueryClient();
  const act = useMutation({
    mutationFn: perform,
    onSettled: () => queries.invalidateQueries({ queryKey: ["schedules"] }),
  });
  const { name, agent } = schedule;
  return (
    <Card padded>
      <article className={classes.schedule} aria-label={name}>
        <header>
          <h2>{name}</h2>
          <code>{schedule.cron}</code>
          <div className={classes.actions}>
            <Button
              size="compact-sm"
              variant="default"
              disabled={act.isPending}
              onClick={() => act.mutate(calls.switchSchedule(name, !schedule.enabled))}
            >
              {schedule.enabled ? "Disable" : "Enable"}
            </Button>
            <Button
              size="compact-sm"
              variant="default"
              aria-label={`Remove ${name}`}
              onClick={() => act.mutate(calls.removeSchedule(name))}
            >
              Remove
            </Button>
          </div>
        </header>
        <p className={classes.message}>
          <Link href={chatAddress(agent, schedule.session_id)}>{agent}</Link>: {schedule.message}
        </p>
        <p className={classes.times}>{timesOf(schedule)}</p>
        <AsCommand calls={[calls.switchSchedule(name, !schedule.enabled), calls.removeSchedule(name)]} />
        {schedule.last_error ? <Problem message={schedule.last_error} /> : null}
        {act.error ? <Problem message={act.error.message} /> : null}
      </article>
    </Card>
  );
}

function timesOf({ next_at: next, last_run_at: last }: Schedule): string {
  const coming = next ? `next ${fullTime(next)}` : "disabled";
  return `${coming} · ${last ? `last ${fullTime(last)}` : "not run yet"}`;
}
