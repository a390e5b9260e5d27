import { useQuery } from "@tanstack/react-query";
import { type ReactNode, useDeferredValue, useMemo, useState } from "react";

import { processesQuery, treeEventsQuery } from "../api/lists";
import type { ServerEvent } from "../api/types";
import { describe, tone } from "../events/describe";
import { fullTime } from "../ui/format";
import { Remote } from "../ui/Remote";
import { Nothing } from "../ui/Section";
import { fromSpawns, type TreeNode } from "./nodes";
import { treeAt } from "./past";
import classes from "./PastTree.module.css";

/** A slider over the stored events, and the spawn tree as it was behind the chosen one. */
export default function PastTree({ children }: { children: (nodes: TreeNode[]) => ReactNode }) {
  const events = useQuery(treeEventsQuery);
  return (
    <Remote query={events} height={320}>
      {(known) =>
        known.length === 0 ? (
          <Nothing>No event is on record yet.</Nothing>
        ) : (
          <Scrubbed events={known}>{children}</Scrubbed>
        )
      }
    </Remote>
  );
}

interface ScrubbedProps {
  events: readonly ServerEvent[];
  children: (nodes: TreeNode[]) => ReactNode;
}

function Scrubbed({ events, children }: ScrubbedProps) {
  const { data } = useQuery(processesQuery);
  const [chosen, setChosen] = useState<number | null>(null);
  const at = Math.min(chosen ?? events.length - 1, events.length - 1);
  const drawn = useDeferredValue(at);
  const nodes = useMemo(() => fromSpawns(treeAt(data ?? [], events, drawn), [], []), [data, events, drawn]);
  const event = events[at];
  const text = event === undefined ? "" : `${fullTime(event.timestamp ?? "")}, ${event.type}`;
  return (
    <>
      <div className={classes.scrubber}>
        <input
          type="range"
          aria-label="Moment"
          aria-valuetext={text}
          min={0}
          max={events.length - 1}
          value={at}
          onChange={(change) => setChosen(Number(change.currentTarget.value))}
        />
        <p>
          <span className={classes.place}>
            {at + 1} of {events.length}
          </span>
          <time dateTime={event?.timestamp}>{fullTime(event?.timestamp ?? "")}</time>
          <strong data-tone={tone(event?.type ?? "")}>{event?.type}</strong>
          <span>{event?.agent}</span>
          <span>{event === undefined ? "" : describe(event)}</span>
        </p>
      </div>
      {children(nodes)}
    </>
  );
}
