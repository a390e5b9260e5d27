import { describe, expect, it } from "vitest";

import type { SpawnNode, SupervisorNode } from "../api/types";
import { drawable, fromSpawns, fromSupervisors, gaugeText, visibleRows } from "./nodes";

const spawns: SpawnNode[] = [
  {
    process_id: "a",
    agent_name: "lead",
    task: "plan",
    status: "running",
    spawn_depth: 0,
    started_at: "",
    children: [
      { process_id: "b", agent_name: "", task: "", status: "failed", spawn_depth: 1, started_at: "" },
    ],
  },
];

const supervisors: SupervisorNode[] = [
  {
    id: "root",
    strategy: "one_for_one",
    restarts_used: 0,
    max_restarts: null,
    window_s: 60,
    children: [
      { id: "w", restart: "permanent", status: "running", process_id: "a" },
      {
        id: "pool",
        restart: "permanent",
        status: "running",
        supervisor: {
          id: "pool",
          strategy: "rest_for_one",
          restarts_used: 1,
          max_restarts: 3,
          window_s: 60,
          children: [],
        },
      },
    ],
  },
];

describe("fromSpawns", () => {
  it("names a process without an agent by its id", () => {
    expect(fromSpawns(spawns, [], [])[0]?.children[0]?.label).toBe("b");
  });

  it("gives a process its own restarts, else those of its group", () => {
    const own = {
      id: "w",
      restart: "transient",
      status: "running",
      restarts_used: 1,
      max_restarts: 3,
      window_s: 300,
    };
    const group = (children: SupervisorNode["children"], most: number | null): SupervisorNode => ({
      id: "root",
      strategy: "rest_for_one",
      restarts_used: 2,
      max_restarts: most,
      window_s: 60,
      children,
    });
    const used = (node: SupervisorNode) => fromSpawns(spawns, [], [node])[0]?.gauge?.restarts_used;
    expect(used(group([{ ...own, process_id: "a" }], null))).toBe(1);
    expect(used(group([{ id: "w", restart: "permanent", status: "running", process_id: "a" }], 3))).toBe(2);
    expect(
      used(group([{ id: "w", restart: "permanent", status: "running", process_id: "a" }], null)),
    ).toBeUndefined();
  });
});

describe("fromSupervisors", () => {
  it("puts a supervisor that is a child below its own", () => {
    const [root] = fromSupervisors(supervisors, []);
    expect(root?.children.map((each) => [each.kind, each.label])).toEqual([
      ["process", "w"],
      ["supervisor", "pool"],
    ]);
  });
});

describe("visibleRows", () => {
  it("says where each row stands, and leaves out what is folded", () => {
    const nodes = fromSpawns(spawns, [], []);
    expect(visibleRows(nodes, new Set()).map((row) => [row.node.key, row.level, row.parent])).toEqual([
      ["a", 1, null],
      ["b", 2, "a"],
    ]);
    expect(visibleRows(nodes, new Set(["a"]))).toHaveLength(1);
  });
});

describe("gaugeText", () => {
  it("tells a supervisor without a limit", () => {
    expect(gaugeText({ restarts_used: 1, max_restarts: 3, window_s: 60 })).toBe("1 of 3 in 1 min");
    expect(gaugeText({ restarts_used: 0, max_restarts: null, window_s: 5 })).toBe("0, no limit");
  });
});

describe("drawable", () => {
  it("draws the first of a crowd and says how many more there are", () => {
    const crowd = Array.from({ length: 5000 }, (_, index) => ({
      ...spawns[0],
      process_id: `p${index}`,
      children: [],
    }));
    const drawn = drawable(fromSpawns(crowd as never, [], []));
    expect(drawn).toHaveLength(41);
    expect(drawn.at(-1)?.label).toBe("4960 more");
  });

  it("draws so many levels and says that there are more", () => {
    const chain = (level: number): SpawnNode => ({
      process_id: `p${level}`,
      agent_name: "Coder",
      task: "",
      status: "running",
      spawn_depth: level,
      started_at: "2026-11-22T10:00:00Z",
      children: level < 12 ? [chain(level + 1)] : [],
    });
    let [node] = drawable(fromSpawns([chain(1)], [], []));
    const labels = [];
    for (; node !== undefined; node = node.children[0]) labels.push(node.key);
    expect(labels).toEqual([1, 2, 3, 4, 5, 6, 7, 8].map((level) => `p${level}`).concat("p8/more"));
  });
});
