import { expect, it } from "vitest";

import { noticeOf } from "./notice";

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
      processId: "p",
    },
  );
});
