import { describe, expect, it } from "vitest";

import type { RunStep, StepNode } from "../api/types";
import { latest, shownSteps } from "./steps";

const graph: StepNode[] = [
  { path: "w/0", id: "", kind: "ask", title: "Ask Coder" },
  {
    path: "w/1",
    id: "",
    kind: "for",
    title: "for each",
    blocks: [{ name: "pass", steps: [{ path: "w/1#/0", id: "", kind: "ask", title: "Ask Reviewer" }] }],
  },
];

function ran(path: string, status: string): RunStep {
  return { path, kind: "ask", status, attempts: 1, cost_usd: 0 };
}

describe("shownSteps", () => {
  it("gathers the passes of a loop at the step they repeat", () => {
    const shown = shownSteps(graph, [
      ran("w/0", "completed"),
      ran("w/1#1/0", "completed"),
      ran("w/1#2/0", "running"),
    ]);
    expect(shown.map((step) => [step.title, step.level, step.block, step.runs.length])).toEqual([
      ["Ask Coder", 0, null, 1],
      ["for each", 0, null, 0],
      ["Ask Reviewer", 1, "pass", 2],
    ]);
  });
});

describe("latest", () => {
  it("prefers the pass that runs", () => {
    expect(latest([ran("a", "running"), ran("a", "completed")])?.status).toBe("running");
    expect(latest([])).toBeNull();
  });
});
