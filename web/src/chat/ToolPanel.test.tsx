import { MantineProvider } from "@mantine/core";
import { cleanup, fireEvent, render, screen } from "@testing-library/react";
import { afterEach, expect, test } from "vitest";

import { ToolPanel } from "./ToolPanel";
import type { ToolPart } from "./transcript";

afterEach(cleanup);

const CALL: ToolPart = {
  kind: "tool",
  id: "a",
  name: "web_search",
  arguments: { query: "trio release" },
  state: "done",
  result: "Found <b>3</b> results",
  durationMs: 840,
  nestedAgent: null,
  attempts: 1,
  images: [],
  progress: null,
};

function show(change: Partial<ToolPart> = {}): HTMLElement {
  render(
    <MantineProvider>
      <ToolPanel tool={{ ...CALL, ...change }} />
    </MantineProvider>,
  );
  return screen.getByRole("button", { name: /web_search/ });
}

test("a folded panel tells the call, its state and its time", () => {
  const head = show();
  expect(head.getAttribute("aria-expanded")).toBe("false");
  expect(head.textContent).toContain("trio release");
  expect(head.textContent).toContain("done");
  expect(head.textContent).toContain("840 ms");
});

test("unfolding shows arguments and result, as text", () => {
  const head = show();
  fireEvent.click(head);
  expect(head.getAttribute("aria-expanded")).toBe("true");
  expect(screen.getByLabelText("Arguments").textContent).toBe('{\n  "query": "trio release"\n}');
  expect(screen.getByLabelText("Result").textContent).toBe("Found <b>3</b> results");
});

test("a running call has no result yet, a failed one says so", () => {
  fireEvent.click(show({ state: "running", result: null, durationMs: null }));
  expect(screen.queryByLabelText("Result")).toBeNull();
  cleanup();
  expect(show({ state: "failed", result: "Error: refused" }).textContent).toContain("failed");
});

test("it tells who calls in delegated work, how often the call was begun, and how far it is", () => {
  const progress = { share: 0.4, message: "page 4 of 10" };
  const head = show({ state: "running", nestedAgent: "Coder", attempts: 2, progress });
  expect(head.textContent).toContain("Coder");
  expect(head.textContent).toContain("attempt 2");
  expect(head.textContent).toContain("page 4 of 10");
  expect(screen.getByRole("progressbar").getAttribute("value")).toBe("0.4");
});

test("a call that waits for a word, and one that was refused, say so", () => {
  expect(show({ state: "awaiting-approval", result: null }).textContent).toContain("awaiting approval");
  cleanup();
  expect(show({ state: "denied" }).textContent).toContain("denied");
});
