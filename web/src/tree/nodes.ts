/** The two trees of a server, spawns and supervision, as one kind of node to show. */

import { nameOf } from "../processes/process";
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

export function fromSpawns(spawns: readonly SpawnNode[]): TreeNode[] {
  return spawns.map((spawn) => ({
    key: spawn.process_id,
    label: spawn.agent_name || spawn.process_id,
    kind: "process",
    status: spawn.status,
    note: [spawn.task, spawn.spawn_reason].filter((text) => text).join(" · "),
    processId: spawn.process_id,
    gauge: null,
    children: fromSpawns(spawn.children ?? []),
  }));
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
  if (node.supervisor) return { ...supervisor(node.supervisor, key, known), status: node.status };
  const process = node.process_id === undefined ? undefined : known.get(node.process_id);
  return {
    key,
    label: process ? nameOf(process) : node.id,
    kind: "process",
    status: node.status,
    note: [node.restart, process?.task].filter((text) => text).join(" · "),
    processId: node.process_id ?? null,
    gauge: null,
    children: [],
  };
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
  return `${used} of ${most ?? "any number"} in ${window} s`;
}
