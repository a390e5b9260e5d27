import { expect, it } from "vitest";

import { isSeenAt, noticeOf } from "./notice";

it("tells what needs somebody, and nothing of the everyday", () => {
  const asked = noticeOf({ type: "approval.requested", agent: "Coder", data: { tool_name: "run_command" } });
  expect(asked).toMatchObject({ text: "Coder wants to call run_command.", page: "/approvals", bad: false });
  expect(noticeOf({ type: "turn.finished", agent: "Coder", data: {} })).toBeNull();
});

it("tells of an end only when nobody wanted it and no life follows", () => {
  const event = { type: "process.failed", agent: "Coder", process_id: "p" };
  expect(noticeOf({ ...event, data: { final: false, reason: "crashed" } })).toBeNull();
  expect(noticeOf({ ...event, data: { final: true, reason: "killed" } })).toBeNull();
  expect(noticeOf({ ...event, data: { final: true, reason: "crashed", error: "ValueError" } })).toMatchObject(
    {
      text: "ValueError",
      address: "/processes/p",
    },
  );
});

it("does not tell who is looking at it", () => {
  const data = { workflow: "a b", run_id: "r1" };
  const failed = noticeOf({ type: "workflow.failed", data });
  if (!failed) throw new Error("it is not told");
  const seen = ["/workflows", "/workflows/a%20b/r1", "/workflows/a b/r1"];
  expect(seen.map((location) => isSeenAt(location, failed))).toEqual([true, true, true]);
  expect(isSeenAt("/workflows/a b/r2", failed)).toBe(false);
});

it("says of a budget that only warns that work goes on", () => {
  expect(noticeOf({ type: "budget.exceeded", agent: "A", data: { blocked: false } })?.text).toBe(
    "A goes on.",
  );
  expect(noticeOf({ type: "budget.exceeded", agent: "A", data: { blocked: true } })?.text).toBe(
    "A may not go on.",
  );
});
