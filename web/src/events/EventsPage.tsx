import { Button, NativeSelect } from "@mantine/core";
import { useMutation, useQuery } from "@tanstack/react-query";
import { IconPlayerPause, IconPlayerPlay } from "@tabler/icons-react";
import { useDeferredValue, useMemo, useState } from "react";
import { Link, useLocation } from "wouter";

import { recentEventsQuery } from "../api/lists";
import { calls } from "../api/calls";
import { manage } from "../api/manage";
import type { ServerEvent } from "../api/types";
import { type Activity, useLive } from "../app/useLive";
import { processAddress } from "../processes/process";
import { Code } from "../ui/Code";
import { AsCommand } from "../ui/AsCommand";
import { Dialog, DialogFoot } from "../ui/Dialog";
import { FilterBar } from "../ui/FilterBar";
import { clockTime, count, fullTime } from "../ui/format";
import { Page } from "../ui/Page";
import { Problem } from "../ui/Problem";
import { Remote } from "../ui/Remote";
import { Nothing } from "../ui/Section";
import { type Column, VirtualTable } from "../ui/VirtualTable";
import { describe, tone } from "./describe";
import classes from "./EventsPage.module.css";
import { FAMILIES, wanted } from "./filter";
import { before, kept } from "./recent";

const OLDER = "200";

/** What happens, as it happens; the log of what happened before is a button away. */
export default function EventsPage() {
  const { activity } = useLive();
  const [frozen, setFrozen] = useState<readonly Activity[] | null>(null);
  const [loaded, setLoaded] = useState<readonly Activity[]>([]);
  const recent = useQuery(recentEventsQuery);
  const [family, setFamily] = useState("");
  const [text, setText] = useState("");
  const [open, setOpen] = useState<Activity | null>(null);
  const sought = useDeferredValue(text);
  const shown = frozen ?? activity;
  const older = useMemo(() => [...before(shown, recent.data ?? []), ...loaded], [shown, recent.data, loaded]);
  const rows = useMemo(
    () => [...shown, ...older].filter((event) => wanted(event, { family, text: sought })),
    [shown, older, family, sought],
  );
  const load = useMutation({
    mutationFn: () => manage.eventLog(logQuery(older.at(-1) ?? shown.at(-1), family)),
    onSuccess: (events) => setLoaded([...loaded, ...events.map(kept)]),
  });
  const columns = useMemo(() => columnsFor(setOpen), []);
  return (
    <Page
      title="Events"
      filled
      aside={<Pause backlog={backlog(frozen, activity)} onPause={(on) => setFrozen(on ? activity : null)} />}
    >
      <FilterBar label="Search type, agent, data" text={text} onText={setText}>
        <NativeSelect
          aria-label="Kind"
          value={family}
          onChange={(event) => setFamily(event.currentTarget.value)}
          data={[{ value: "", label: "Every kind" }, ...FAMILIES]}
        />
        <Button variant="default" loading={load.isPending} onClick={() => load.mutate()}>
          Load older
        </Button>
      </FilterBar>
      {load.error ? <Problem message={load.error.message} /> : null}
      {rows.length > 0 ? (
        <>
          {recent.error ? <Problem message={recent.error.message} /> : null}
          <VirtualTable
            label="Events"
            rows={rows}
            columns={columns}
            keyOf={(row) => row.key}
            rowHeight={36}
          />
        </>
      ) : (
        <Remote query={recent} height={240}>
          {() => <Nothing>Nothing of this kind has happened lately. Load older looks further back.</Nothing>}
        </Remote>
      )}
      {open ? <Drawer event={open} onClose={() => setOpen(null)} /> : null}
    </Page>
  );
}

/** How many events came since the pause; null while there is none. */
function backlog(frozen: readonly Activity[] | null, activity: readonly Activity[]): number | null {
  if (frozen === null) return null;
  const newest = frozen[0]?.key;
  const at = activity.findIndex((event) => event.key === newest);
  return at < 0 ? activity.length : at;
}

function Pause({ backlog: waiting, onPause }: { backlog: number | null; onPause: (on: boolean) => void }) {
  const paused = waiting !== null;
  return (
    <div className={classes.pause}>
      <span role="status">{paused ? `${count(waiting)} new` : ""}</span>
      <Button
        size="compact-md"
        variant="default"
        aria-pressed={paused}
        leftSection={paused ? <IconPlayerPlay size={15} /> : <IconPlayerPause size={15} />}
        onClick={() => onPause(!paused)}
      >
        {paused ? "Go on" : "Pause"}
      </Button>
    </div>
  );
}

/** A page of the log that ends where what is shown begins. */
function logQuery(oldest: Activity | undefined, family: string): Record<string, string> {
  const cursor = oldest === undefined ? NaN : idOf(oldest);
  return {
    limit: OLDER,
    ...(family === "" ? {} : { type: `${family}.*` }),
    ...(Number.isNaN(cursor) ? {} : { cursor: String(cursor) }),
  };
}

function columnsFor(onOpen: (event: Activity) => void): Column<Activity>[] {
  return [
    {
      key: "time",
      title: "Time",
      width: "84px",
      phone: "70px",
      render: (event) => (
        <time dateTime={event.timestamp} title={fullTime(event.timestamp ?? "")}>
          {clockTime(event.timestamp ?? "")}
        </time>
      ),
    },
    {
      key: "type",
      title: "Type",
      width: "210px",
      phone: "minmax(0, 2fr)",
      render: (event) => (
        <button
          type="button"
          className={classes.type}
          data-tone={tone(event.type)}
          onClick={() => onOpen(event)}
        >
          {event.type}
        </button>
      ),
    },
    { key: "agent", title: "Agent", width: "minmax(100px, 1fr)", render: (event) => event.agent ?? "" },
    {
      key: "process",
      title: "Process",
      width: "140px",
      wide: true,
      render: (event) =>
        event.process_id ? <Link href={processAddress(event.process_id)}>{event.process_id}</Link> : "",
    },
    {
      key: "detail",
      title: "What",
      width: "minmax(160px, 3fr)",
      wide: true,
      render: (event) => <span className={classes.detail}>{describe(event)}</span>,
    },
  ];
}

/** The number under which the server has an event. */
function idOf(event: Activity): number {
  return event.id ?? Number(event.key.split("/")[1] ?? NaN);
}

/** A process that goes on from how things stood after the event. */
function Fork({ process, at }: { process: string; at: number }) {
  const [, go] = useLocation();
  const fork = useMutation({
    mutationFn: () => manage.fork(process, at),
    onSuccess: (made) => go(processAddress(made.id)),
  });
  return (
    <>
      <AsCommand calls={[calls.fork(process, at)]} />
      {fork.error ? <Problem message={fork.error.message} /> : null}
      <DialogFoot>
        <Button variant="default" loading={fork.isPending} onClick={() => fork.mutate()}>
          Fork the process from here
        </Button>
      </DialogFoot>
    </>
  );
}

function Drawer({ event, onClose }: { event: Activity; onClose: () => void }) {
  const shown: ServerEvent & { key?: string } = { ...event };
  delete shown.key; // the page's own
  return (
    <Dialog title={event.type} onClose={onClose}>
      <Code label="Event" value={shown} />
      {event.process_id ? (
        <p className={classes.more}>
          <Link href={processAddress(event.process_id)}>Look at the process</Link>
        </p>
      ) : null}
      {event.process_id && event.agent ? <Fork process={event.process_id} at={idOf(event)} /> : null}
    </Dialog>
  );
}
