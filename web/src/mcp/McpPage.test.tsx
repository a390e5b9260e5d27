import { MantineProvider } from "@mantine/core";
import { QueryClient, QueryClientProvider } from "@tanstack/react-query";
import { cleanup, render, screen } from "@testing-library/react";
import { afterEach, expect, test } from "vitest";

import type { McpServer } from "../api/types";
import { Server } from "./McpPage";

afterEach(cleanup);

const SERVER: McpServer = { name: "fs", connected: true, transport: "stdio", tools: ["read"], restarts: 0 };

function show(server: McpServer): void {
  render(
    <MantineProvider>
      <QueryClientProvider client={new QueryClient()}>
        <Server server={server} />
      </QueryClientProvider>
    </MantineProvider>,
  );
}

test("tools whose definitions have changed are named, with the button that takes them", () => {
  show({ ...SERVER, changed: ["write", "move"] });
  expect(screen.getByRole("article").textContent).toContain("the definitions of write, move have changed");
  expect(screen.getByRole("button", { name: "Approve changed tools" })).toBeTruthy();
});

test("a server that is as it was has nothing to approve", () => {
  show(SERVER);
  expect(screen.queryByRole("button", { name: "Approve changed tools" })).toBeNull();
});
