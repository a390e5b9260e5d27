/** The two trees of a server, spawns and supervision, as one kind of node to show. */

import { nameOf, workOf } from "../processes/process";
import { span } from "../ui/format";
import type { ProcessSummary, SpawnNode, SupervisedChild, SupervisorNode } from "../api/types";

/** How many restarts a supervisor has granted, of how many in its window. */
export type RestartGauge = Pick<SupervisorNode, "restarts_used" | "max_restarts" | "window_s">;

export interface TreeNode {
  /** Unique in its tree. */
  key: string;
  label: string;
  kind: "supervisor" | "process";
  status: string;
  note: string;
  /** Set where there is a process to look at. */
  processId: string | null;
  gauge: RestartGauge | null;
  children: TreeNode[];
}

export interface Row {
  node: TreeNode;
  level: number;
  position: number;
  siblings: number;
  parent: string | null;
}

export function fromSpawns(
  spawns: readonly SpawnNode[],
  processes: readonly ProcessSummary[],
  supervisors: readonly SupervisorNode[],
): TreeNode[] {
  const byId = new Map(processes.map((process) => [process.id, process]));
  return spawned(spawns, byId, new Map(supervisors.flatMap(gauges)));
}

function spawned(spawns: readonly SpawnNode[], known: Known, granted: Gauges): TreeNode[] {
  return spawns.map((spawn) => {
    const work = workOf(spawn.task);
    const name = spawn.agent_name === "" ? known.get(spawn.process_id)?.name : spawn.agent_name;
    return {
      key: spawn.process_id,
      label: name ?? (work === "" ? spawn.process_id : work),
      kind: "process",
      status: spawn.status,
      note: [name ? work : "", spawn.spawn_reason].filter((text) => text).join(" · "),
      processId: spawn.process_id,
      gauge: granted.get(spawn.process_id) ?? null,
      children: spawned(spawn.children ?? [], known, granted),
    };
  });
}

type Gauges = ReadonlyMap<string, RestartGauge>;

/** The gauge of each process: its own, else that of the supervisor that it shares with its siblings. */
function gauges(node: SupervisorNode): [string, RestartGauge][] {
  return node.children.flatMap((each) => {
    if (each.supervisor) return gauges(each.supervisor);
    const gauge = gaugeOf(each) ?? (node.max_restarts === null ? null : node);
    return each.process_id === undefined || gauge === null ? [] : [[each.process_id, gauge]];
  });
}

export function fromSupervisors(
  supervisors: readonly SupervisorNode[],
  processes: readonly ProcessSummary[],
): TreeNode[] {
  const byId = new Map(processes.map((process) => [process.id, process]));
  return supervisors.map((each) => supervisor(each, each.id, byId));
}

type Known = ReadonlyMap<string, ProcessSummary>;

function supervisor(node: SupervisorNode, key: string, known: Known): TreeNode {
  return {
    key,
    label: node.id,
    kind: "supervisor",
    status: "running",
    note: node.strategy,
    processId: null,
    gauge: node,
    children: node.children.map((each, index) => child(each, `${key}/${index}:${each.id}`, known)),
  };
}

function child(node: SupervisedChild, key: string, known: Known): TreeNode {
  if (node.supervisor)
    return { ...supervisor(node.supervisor, key, known), label: node.id, status: node.status };
  const process = node.process_id === undefined ? undefined : known.get(node.process_id);
  return {
    key,
    label: process ? nameOf(process) : node.id,
    kind: "process",
    status: node.status,
    note: [node.restart, workOf(process?.task)].filter((text) => text).join(" · "),
    processId: node.process_id ?? null,
    gauge: gaugeOf(node),
    children: [],
  };
}

function gaugeOf(child: SupervisedChild): RestartGauge | null {
  const { restarts_used, window_s, max_restarts = null } = child;
  return restarts_used === undefined || window_s === undefined
    ? null
    : { restarts_used, window_s, max_restarts };
}

/** The rows in sight, depth first: those below a node in `closed` are not. */
export function visibleRows(
  nodes: readonly TreeNode[],
  closed: ReadonlySet<string>,
  level = 1,
  parent: string | null = null,
): Row[] {
  return nodes.flatMap((node, index) => [
    { node, level, position: index + 1, siblings: nodes.length, parent },
    ...(closed.has(node.key) ? [] : visibleRows(node.children, closed, level + 1, node.key)),
  ]);
}

export function gaugeText({
  restarts_used: used,
  max_restarts: most,
  window_s: window,
}: RestartGauge): string {
  return most === null ? `${used}, no limit` : `${used} of ${most} in ${span(window)}`;
}

/** At most this many children of one node are drawn: the list has them all. */
export const DRAWN_SIBLINGS = 40;
/** How the key of the node ends that stands for the others. */
export const MORE = "/more";
export const DRAWN_LEVELS = 8;

/** What of a tree a drawing can show: of a crowd the first ones, some levels, and how many more there are. */
export function drawable(nodes: readonly TreeNode[], level = 1, parent = ""): TreeNode[] {
  if (level > DRAWN_LEVELS) return nodes.length === 0 ? [] : [rest(nodes.length, parent)];
  const shown = nodes.slice(0, DRAWN_SIBLINGS).map((node) => ({
    ...node,
    children: drawable(node.children, level + 1, node.key),
  }));
  const more = nodes.length - shown.length;
  return more === 0 ? shown : [...shown, rest(more, parent)];
}

function rest(more: number, parent: string): TreeNode {
  return {
    key: `${parent}${MORE}`,
    label: `${more} more`,
    kind: "process",
    status: "",
    note: "in the list",
    processId: null,
    gauge: null,
    children: [],
  };
}
