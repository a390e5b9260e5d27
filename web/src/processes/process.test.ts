import { describe, expect, it } from "vitest";

import type { ProcessSummary } from "../api/types";
import { isAlive, matches, nameOf, processAddress } from "./process";

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
