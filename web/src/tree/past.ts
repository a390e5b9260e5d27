/**
 * The tree as it was at an event: who had been spawned by then, and what the events up to it say of each.
 *
 * Rules: what a process is, and who spawned it, never changes and comes from the list of processes. How it was comes from
 * the last of its own events; without one, from when it began and ended, since events are not kept for ever.
 */

import type { ProcessSummary, ServerEvent, SpawnNode } from "../api/types";

/** The events that change what a tree shows. */
export const TREE_EVENTS = "process.*,supervisor.*";

interface Known {
  status: string;
  note: string;
}

/** The spawn tree behind the event `at`, an index in `events`, which are in order of time. */
export function treeAt(
  processes: readonly ProcessSummary[],
  events: readonly ServerEvent[],
  at: number,
): SpawnNode[] {
  const moment = events[at]?.timestamp;
  if (moment === undefined) return [];
  const told = statuses(events.slice(0, at + 1));
  const there = processes.filter((each) => told.has(each.id) || each.started_at < moment);
  const byParent = new Map<string | null, ProcessSummary[]>();
  const ids = new Set(there.map((each) => each.id));
  for (const each of there) {
    const parent = each.parent_id !== undefined && ids.has(each.parent_id) ? each.parent_id : null;
    byParent.set(parent, [...(byParent.get(parent) ?? []), each]);
  }
  const grow = (parent: string | null, depth: number): SpawnNode[] =>
    (byParent.get(parent) ?? [])
      .sort((one, other) => (one.started_at < other.started_at ? -1 : 1))
      .map((each) => ({
        process_id: each.id,
        agent_name: each.agent,
        task: each.task ?? "",
        spawn_depth: depth,
        started_at: each.started_at,
        ...shown(told.get(each.id) ?? before(each, moment)),
        children: grow(each.id, depth + 1),
      }));
  return grow(null, 0);
}

function shown({ status, note }: Known): Pick<SpawnNode, "status" | "spawn_reason"> {
  return { status: status as SpawnNode["status"], ...(note === "" ? {} : { spawn_reason: note }) };
}

/** Of whom no event is kept. */
function before(process: ProcessSummary, moment: string): Known {
  const ended = process.completed_at !== undefined && process.completed_at <= moment;
  return { status: ended ? process.status : "running", note: "" };
}

function statuses(events: readonly ServerEvent[]): Map<string, Known> {
  const known = new Map<string, Known>();
  for (const event of events) {
    const next = statusOf(event);
    if (event.process_id !== undefined && next !== null) known.set(event.process_id, next);
  }
  return known;
}

function statusOf({ type, data = {} }: ServerEvent): Known | null {
  const life = typeof data.incarnation === "number" && data.incarnation > 1 ? `life ${data.incarnation}` : "";
  switch (type) {
    case "process.started":
    case "process.restarted":
      return { status: "running", note: life };
    case "process.restarting":
      return { status: "pending", note: "being restarted" };
    case "process.waiting":
      return { status: "running", note: `waiting on ${String(data.on)}` };
    case "process.completed":
      return { status: "completed", note: "" };
    case "process.failed": {
      const status = data.reason === "timeout" ? "timeout" : "failed";
      const why = [data.error, data.reason].find((each) => typeof each === "string" && each !== "");
      return { status, note: typeof why === "string" ? why : "" };
    }
    default:
      return null;
  }
}
