import { MantineProvider } from "@mantine/core";
import { QueryClient, QueryClientProvider } from "@tanstack/react-query";
import { cleanup, render, screen } from "@testing-library/react";
import { afterEach, expect, test, vi } from "vitest";

import type { Fault } from "../api/types";
import DrillChip from "./DrillChip";

afterEach(() => {
  cleanup();
  vi.unstubAllGlobals();
});

function show(faults: Fault[]): { asked: string[] } {
  const asked: string[] = [];
  vi.stubGlobal("fetch", (path: string) => {
    asked.push(path);
    return Promise.resolve(Response.json(faults));
  });
  render(
    <MantineProvider>
      <QueryClientProvider client={new QueryClient()}>
        <DrillChip onSay={() => undefined} />
      </QueryClientProvider>
    </MantineProvider>,
  );
  return { asked };
}

test("the fault drill is offered where there are faults to play", async () => {
  show([{ fault: "crash", description: "It crashes" }]);
  expect(await screen.findByRole("button", { name: "Fault drill" })).toBeTruthy();
});

test("outside of the demo, where there are none, it is not offered", async () => {
  const { asked } = show([]);
  await vi.waitFor(() => expect(asked).toEqual(["/api/drill"]));
  await new Promise((resolve) => setTimeout(resolve, 0));
  expect(screen.queryByRole("button", { name: "Fault drill" })).toBeNull();
});
