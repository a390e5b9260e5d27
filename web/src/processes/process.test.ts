import { describe, expect, it } from "vitest";

import type { ProcessSummary } from "../api/types";
import { isAlive, matches, nameOf, processAddress, workOf } from "./process";

const row: ProcessSummary = {
  id: "8c1f20aa",
  agent: "Coder",
  task: "write a parser",
  status: "running",
  started_at: "2026-11-22T10:00:00Z",
  spawn_depth: 0,
  incarnation: 1,
  metrics: {
    iterations: 0,
    input_tokens: 0,
    output_tokens: 0,
    cost_usd: 0,
    tool_calls: 0,
    errors: 0,
    last_active_at: "2026-11-22T10:00:00Z",
  },
};

describe("matches", () => {
  it("wants every word, wherever it stands", () => {
    expect(matches(row, "coder PARSER")).toBe(true);
    expect(matches(row, "8c1f")).toBe(true);
    expect(matches(row, "coder lexer")).toBe(false);
  });

  it("lets everything through without a text", () => {
    expect(matches(row, "")).toBe(true);
  });
});

describe("nameOf", () => {
  it("falls back on the name and the id of a process without an agent", () => {
    expect(nameOf(row)).toBe("Coder");
    expect(nameOf({ agent: "", name: "ticker", id: "1" })).toBe("ticker");
    expect(nameOf({ agent: "", id: "1" })).toBe("1");
  });
});

describe("processAddress", () => {
  it("keeps an id within its segment", () => {
    expect(processAddress("a/b?c")).toBe("/processes/a%2Fb%3Fc");
  });
});

describe("isAlive", () => {
  it("counts a pending process as alive", () => {
    expect(isAlive("pending")).toBe(true);
    expect(isAlive("timeout")).toBe(false);
  });
});

describe("workOf", () => {
  const context = "<delegation_context>\n<from>Lead</from>\n</delegation_context>\n";

  it("leaves the conversation out that delegated work comes with", () => {
    expect(workOf(`${context}<task>\nWrite it.\nWell.\n</task>`)).toBe("Write it.\nWell.");
    expect(workOf("Explain <task>this</task>")).toBe("Explain <task>this</task>");
    expect(workOf(undefined)).toBe("");
  });

  it("is soon done with a task that was made to be searched for long", () => {
    const began = performance.now();
    workOf(`${context}<task>\n${" ".repeat(50_000)}`);
    workOf(`<task>${" ".repeat(50_000)}`);
    expect(performance.now() - began).toBeLessThan(1000);
  });
});
