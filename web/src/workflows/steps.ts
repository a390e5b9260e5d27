/** Joins a workflow's steps, as they are written, with what a run tells of them. */

import type { RunStep, StepNode } from "../api/types";

export interface ShownStep {
  path: string;
  title: string;
  level: number;
  /** then, else, catch.. for the first step of such a block. */
  block: string | null;
  runs: RunStep[];
}

export function shownSteps(graph: readonly StepNode[], steps: readonly RunStep[]): ShownStep[] {
  const byPath = new Map<string, RunStep[]>();
  for (const step of steps) {
    const path = written(step.path);
    byPath.set(path, [...(byPath.get(path) ?? []), step]);
  }
  const shown: ShownStep[] = [];
  const add = (nodes: readonly StepNode[], level: number, block: string | null): void => {
    nodes.forEach((node, index) => {
      shown.push({
        path: node.path,
        title: node.title || node.kind,
        level,
        block: index === 0 ? block : null,
        runs: byPath.get(written(node.path)) ?? [],
      });
      for (const inner of node.blocks ?? []) add(inner.steps, level + 1, inner.name);
    });
  };
  add(graph, 0, null);
  return shown;
}

/** A run numbers the passes of a loop (`#3`); in the definition there is one place for all of them. */
function written(path: string): string {
  return path.replaceAll(/#\d+/g, "#");
}

/** What to show of a step that ran several times: the pass under way, else the last one. */
export function latest(runs: readonly RunStep[]): RunStep | null {
  return runs.find((run) => run.status === "running") ?? runs.at(-1) ?? null;
}
