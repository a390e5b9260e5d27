import { describe, expect, test } from "vitest";

import { parseStreamEvent } from "./stream";
import { type Answer, answerText, EMPTY, type Part, reduce, type Transcript } from "./transcript";

/** A transcript after one question and the given frames, as they stand in the API's documentation. */
function after(...frames: object[]): Transcript {
  return frames.reduce<Transcript>(
    (transcript, frame) => {
      const event = parseStreamEvent(JSON.stringify(frame));
      return event ? reduce(transcript, { type: "event", event }) : transcript;
    },
    reduce(EMPTY, { type: "asked", key: "t1", text: "search" }),
  );
}

function answerOf(transcript: Transcript): Answer {
  const last = transcript.at(-1);
  if (last?.kind !== "answer") throw new Error("the last entry is no answer");
  return last;
}

function shapes(parts: readonly Part[]): string[] {
  return parts.map((part) => {
    switch (part.kind) {
      case "text":
        return part.text;
      case "tool":
        return `[${part.name} ${part.state}]`;
      case "approval":
        return `{${part.name} ${part.decision ?? "waiting"}}`;
      case "thinking":
        return `(${part.text})`;
      case "restart":
        return `--${part.restarts}/${part.maxRestarts ?? "-"}--`;
    }
  });
}

const text = (delta: string) => ({ type: "text_delta", delta });
const start = (id: string) => ({
  type: "tool_start",
  tool_call_id: id,
  tool_name: "web_search",
  arguments: { query: "trio" },
});
const end = (id: string, result = "Found 3 results") => ({
  type: "tool_end",
  tool_call_id: id,
  tool_name: "web_search",
  result,
  duration_ms: 840,
});
const restart = { type: "restart", incarnation: 2, reason: "crashed", restarts: 1, max_restarts: 3 };
const done = { type: "done" };

describe("an answer", () => {
  test("keeps text and tool panels in the order in which they came", () => {
    const answer = answerOf(
      after(text("Let me "), text("look. "), start("a"), end("a"), text("Found it."), done),
    );
    expect(shapes(answer.parts)).toEqual(["Let me look. ", "[web_search done]", "Found it."]);
    expect(answerText(answer)).toBe("Let me look. Found it.");
    expect(answer.status).toBe("done");
  });

  test("shows calls that run side by side, each with its own result", () => {
    const answer = answerOf(after(start("a"), start("b"), end("b", "Error: refused"), end("a")));
    expect(shapes(answer.parts)).toEqual(["[web_search done]", "[web_search failed]"]);
  });

  test("marks a call without an end as cancelled once the answer is over", () => {
    expect(shapes(answerOf(after(start("a"), done)).parts)).toEqual(["[web_search cancelled]"]);
  });

  test("is failed after an error, keeps what was said, and shows the error", () => {
    const answer = answerOf(after(text("Half"), { type: "error", error: "budget exceeded" }, done));
    expect(answer).toMatchObject({ status: "failed", error: "budget exceeded" });
    expect(answerText(answer)).toBe("Half");
  });

  test("is cancelled when the turn was stopped", () => {
    expect(answerOf(after(text("Half"), { ...done, stop_reason: "cancelled" })).status).toBe("cancelled");
  });

  test("carries the turn's figures", () => {
    const metrics = { input_tokens: 12, output_tokens: 30, cost_usd: 0.002, duration_ms: 900 };
    const answer = answerOf(after({ ...done, stop_reason: "end_turn", metrics }));
    expect(answer.metrics).toEqual({ inputTokens: 12, outputTokens: 30, costUsd: 0.002, durationMs: 900 });
  });

  test("never changes again once it is over", () => {
    const closed = after(text("Done."), done);
    expect(after(text("Done."), done, text(" More"), start("a"))).toEqual(closed);
  });

  test("ignores event types that it does not know, and frames that are not JSON", () => {
    expect(answerOf(after({ type: "aurora", delta: "x" })).parts).toEqual([]);
    expect(parseStreamEvent("<html>")).toBeNull();
    expect(parseStreamEvent("null")).toBeNull();
  });

  test("keeps a delegate's words out, and names the delegate on its tool calls", () => {
    const nested = { nested_agent: "writer" };
    const answer = answerOf(after({ ...text("psst"), ...nested }, { ...start("a"), ...nested }));
    expect(answerText(answer)).toBe("");
    expect(answer.parts).toMatchObject([{ kind: "tool", nestedAgent: "writer" }]);
  });
});

describe("a call that needs a word", () => {
  const asked = {
    type: "approval_required",
    approval_id: "1",
    tool_call_id: "a",
    tool_name: "web_search",
    arguments: {},
  };
  const answered = {
    type: "approval_resolved",
    approval_id: "1",
    tool_call_id: "a",
    tool_name: "web_search",
  };
  const state = (...events: object[]) =>
    answerOf(after(...events)).parts.find((part) => part.kind === "tool");

  test("waits for it, and then runs or is denied", () => {
    expect(state(start("a"), asked)).toMatchObject({ state: "awaiting-approval" });
    expect(state(start("a"), asked, { ...answered, decision: "approve" })).toMatchObject({
      state: "running",
    });
    const denied = { ...end("a"), result: "Error: denied" };
    expect(state(start("a"), asked, { ...answered, decision: "deny" }, denied)).toMatchObject({
      state: "denied",
    });
  });

  test("is asked for once, however often its process was restarted", () => {
    const parts = answerOf(after(start("a"), asked, start("a"), asked)).parts;
    expect(parts.filter((part) => part.kind === "approval")).toHaveLength(1);
    expect(parts[0]).toMatchObject({ kind: "tool", attempts: 2 });
  });

  test("tells how far it is", () => {
    const progress = {
      type: "tool_progress",
      tool_call_id: "a",
      tool_name: "x",
      progress: 3,
      total: 4,
      message: "m",
    };
    expect(state(start("a"), progress)).toMatchObject({ progress: { share: 0.75, message: "m" } });
  });
});

describe("a restart", () => {
  test("leaves a divider in the same answer, and the text starts over behind it", () => {
    const answer = answerOf(
      after(text("Lost words"), restart, { type: "message_reset", text: "" }, text("Said again."), done),
    );
    expect(shapes(answer.parts)).toEqual(["--1/3--", "Said again."]);
    expect(answer.status).toBe("done");
  });

  test("keeps finished steps: their text, and their calls", () => {
    const answer = answerOf(
      after(
        text("First. "),
        start("a"),
        end("a"),
        text("Lost"),
        restart,
        { type: "message_reset", text: "First. " },
        text("Second."),
      ),
    );
    expect(shapes(answer.parts)).toEqual(["First. ", "[web_search done]", "--1/3--", "Second."]);
    expect(answerText(answer)).toBe("First. Second.");
  });

  test("cuts a text of which only the beginning survived", () => {
    const answer = answerOf(after(text("Kept lost"), restart, { type: "message_reset", text: "Kept " }));
    expect(answerText(answer)).toBe("Kept ");
  });

  test("takes the server's text where it differs from what was shown", () => {
    const answer = answerOf(
      after(text("Mine"), start("a"), restart, { type: "message_reset", text: "Theirs" }),
    );
    expect(answerText(answer)).toBe("Theirs");
  });

  test("starts an interrupted call again in its own panel", () => {
    const answer = answerOf(
      after(start("a"), restart, { type: "message_reset", text: "" }, start("a"), end("a")),
    );
    expect(shapes(answer.parts)).toEqual(["[web_search done]", "--1/3--"]);
  });

  test("can happen more than once", () => {
    const again = { ...restart, restarts: 2, incarnation: 3 };
    const reset = { type: "message_reset", text: "" };
    const answer = answerOf(after(text("a"), restart, reset, text("b"), again, reset, text("c")));
    expect(shapes(answer.parts)).toEqual(["--1/3--", "--2/3--", "c"]);
  });
});

describe("what went wrong on the way", () => {
  test("a refused message is marked as unsent, with the server's hint", () => {
    const asked = after();
    const answer = answerOf(reduce(asked, { type: "refused", error: "mailbox full", hint: "wait" }));
    expect(answer).toMatchObject({ status: "failed", unsent: true, error: "mailbox full", hint: "wait" });
  });

  test("a broken connection keeps what had come", () => {
    const answer = answerOf(reduce(after(text("Half")), { type: "lost", error: "cut" }));
    expect(answer).toMatchObject({ status: "lost", error: "cut", unsent: false });
    expect(answerText(answer)).toBe("Half");
  });

  test("a retry is announced until text comes", () => {
    const retry = { type: "retry", class: "rate_limit", attempt: 2, max_attempts: 5, delay_ms: 2000 };
    expect(answerOf(after(retry)).notice).toBe("rate limit: attempt 2 of 5 in 2 s");
    expect(answerOf(after(retry, text("Hello"))).notice).toBeNull();
  });
});

describe("the stored history", () => {
  const created_at = "2026-11-22T10:00:00Z";
  const call = { tool_call_id: "a", tool_name: "web_search", arguments: {}, result: "Found", duration_ms: 5 };

  test("looks as the stream did, with calls where they were made", () => {
    const loaded = reduce(EMPTY, {
      type: "loaded",
      messages: [
        { role: "user", content: "search", id: "1:user", created_at },
        {
          role: "assistant",
          content: "Look 🔭. Done.",
          id: "1:assistant",
          created_at,
          tool_calls: [{ ...call, text_offset: 8 }],
        },
      ],
    });
    expect(loaded[0]).toMatchObject({ kind: "question", text: "search" });
    expect(shapes(answerOf(loaded).parts)).toEqual(["Look 🔭. ", "[web_search done]", "Done."]);
  });
});
