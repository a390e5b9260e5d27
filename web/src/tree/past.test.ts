import { describe, expect, it } from "vitest";

import type { ProcessSummary, ServerEvent, SpawnNode } from "../api/types";
import { treeAt } from "./past";

const second = (at: number) => `2026-11-22T10:00:0${at}.000Z`;

function process(id: string, startedAt: number, more: Partial<ProcessSummary> = {}): ProcessSummary {
  return { id, agent: id, status: "running", started_at: second(startedAt), ...more } as ProcessSummary;
}

function event(at: number, type: string, id: string, data: Record<string, unknown> = {}): ServerEvent {
  return { type, process_id: id, timestamp: second(at), data };
}

function shown(nodes: readonly SpawnNode[]): unknown[] {
  return nodes.map((node) => [
    node.process_id,
    node.status,
    node.spawn_reason ?? "",
    shown(node.children ?? []),
  ]);
}

const PROCESSES = [
  process("lead", 1),
  process("helper", 3, { parent_id: "lead", status: "failed", completed_at: second(7) }),
];
const EVENTS = [
  event(1, "process.started", "lead", { incarnation: 1 }),
  event(3, "process.started", "helper", { incarnation: 1 }),
  event(4, "process.failed", "lead", { reason: "crashed", error: "ValueError: no", final: false }),
  event(5, "process.restarting", "lead", { attempt: 1 }),
  event(6, "process.restarted", "lead", { incarnation: 2 }),
  event(7, "process.failed", "helper", { reason: "killed", error: "", final: true }),
];

describe("treeAt", () => {
  it("has nobody who was spawned later", () => {
    expect(shown(treeAt(PROCESSES, EVENTS, 0))).toEqual([["lead", "running", "", []]]);
  });

  it("shows a crash, the restart and the next life as they were", () => {
    const helper = [["helper", "running", "", []]];
    expect(shown(treeAt(PROCESSES, EVENTS, 2))).toEqual([["lead", "failed", "ValueError: no", helper]]);
    expect(shown(treeAt(PROCESSES, EVENTS, 3))).toEqual([["lead", "pending", "being restarted", helper]]);
    expect(shown(treeAt(PROCESSES, EVENTS, 4))).toEqual([["lead", "running", "life 2", helper]]);
    const ended = [["helper", "failed", "killed", []]];
    expect(shown(treeAt(PROCESSES, EVENTS, 5))).toEqual([["lead", "running", "life 2", ended]]);
  });

  it("goes by when a process began and ended where its events are not kept", () => {
    const late = [event(8, "process.started", "new")];
    const old = [...PROCESSES, process("new", 8)];
    expect(shown(treeAt(old, late, 0))).toEqual([
      ["lead", "running", "", [["helper", "failed", "", []]]],
      ["new", "running", "", []],
    ]);
    expect(treeAt(old, [], 0)).toEqual([]);
  });
});
