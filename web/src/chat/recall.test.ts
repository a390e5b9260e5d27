import { expect, test } from "vitest";

import type { ServerEvent } from "../api/types";
import { recalled } from "./recall";
import { EMPTY, reduce, type Transcript } from "./transcript";

const AT = "2026-11-23T01:00:00Z";

function history(...said: [string, string, string][]): Transcript {
  const messages = said.map(([turn, role, content]) => ({
    id: `${turn}:${role}`,
    role: role as "user" | "assistant",
    content,
    created_at: AT,
    tool_calls: content.startsWith("Looked")
      ? [{ tool_call_id: "c", tool_name: "look", arguments: {}, result: "", duration_ms: 1, text_offset: 6 }]
      : [],
  }));
  return reduce(EMPTY, { type: "loaded", messages });
}

function event(type: string, turn: string, data: Record<string, unknown> = {}): ServerEvent {
  return { type, data: { turn_id: turn, ...data } };
}

const FINISHED = event("turn.finished", "t", {
  input_tokens: 10,
  output_tokens: 5,
  cost_usd: 0.01,
  duration_ms: 900,
});
const RESTARTING = event("process.restarting", "t", {
  attempt: 1,
  max: 3,
  incarnation: 1,
  reason: "crashed",
});

test("an answer tells again what it took and cost", () => {
  const [, answer] = recalled(history(["t", "user", "Hi"], ["t", "assistant", "Hello"]), [FINISHED]);
  expect(answer).toMatchObject({
    metrics: { inputTokens: 10, outputTokens: 5, costUsd: 0.01, durationMs: 900 },
  });
});

test("a restart stands behind the calls that were begun before it, once", () => {
  const before = history(["t", "user", "Hi"], ["t", "assistant", "Looked it up"]);
  const started = event("tool.started", "t", { tool_call_id: "c" });
  const kinds = (events: ServerEvent[], transcript = before): unknown => {
    const answer = recalled(transcript, events)[1];
    return answer?.kind === "answer" ? answer.parts.map((part) => part.kind) : null;
  };
  expect(kinds([FINISHED, RESTARTING, started])).toEqual(["text", "tool", "restart", "text"]);
  expect(kinds([FINISHED, started, RESTARTING])).toEqual(["restart", "text", "tool", "text"]);
  const once = recalled(before, [FINISHED, RESTARTING, started]);
  expect(kinds([FINISHED, RESTARTING, started], once)).toEqual(["text", "tool", "restart", "text"]);
});

test("a failed turn without an answer says why it failed, and a stopped one that it was stopped", () => {
  const failed = recalled(history(["t", "user", "Hi"]), [event("turn.failed", "t", { error: "refused" })]);
  expect(failed).toHaveLength(2);
  expect(failed[1]).toMatchObject({ kind: "answer", status: "failed", error: "refused" });
  const stopped = history(["t", "user", "Hi"], ["t", "assistant", "He"]);
  expect(recalled(stopped, [event("turn.cancelled", "t")])[1]).toMatchObject({ status: "cancelled" });
});

test("what runs now, and what the log does not know, stays as it is", () => {
  const open = reduce(history(["u", "user", "Hi"], ["u", "assistant", "Yes"]), {
    type: "asked",
    key: "k",
    text: "t",
  });
  expect(recalled(open, [FINISHED])).toEqual(open);
});
