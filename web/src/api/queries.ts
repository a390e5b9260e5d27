/** What the pages read, each under a key that says which events outdate it (`app/outdated.ts`). */

import { queryOptions } from "@tanstack/react-query";

import { api } from "./client";
import type { CostsBy } from "./types";

export const agentsQuery = queryOptions({
  queryKey: ["agents"],
  queryFn: ({ signal }) => api.agents(signal),
});
export const agentQuery = (name: string) =>
  queryOptions({ queryKey: ["agents", name], queryFn: ({ signal }) => api.agent(name, signal) });
export const toolsQuery = queryOptions({ queryKey: ["tools"], queryFn: ({ signal }) => api.tools(signal) });

export const sessionsQuery = (agent: string, q: string) =>
  queryOptions({
    queryKey: ["sessions", agent, q],
    queryFn: ({ signal }) => api.sessions(agent, q, signal),
  });

export const statsQuery = queryOptions({ queryKey: ["stats"], queryFn: ({ signal }) => api.stats(signal) });
export const costsQuery = (by: CostsBy) =>
  queryOptions({ queryKey: ["costs", by], queryFn: ({ signal }) => api.costs(by, signal) });

export const processesQuery = queryOptions({
  queryKey: ["processes"],
  queryFn: ({ signal }) => api.processes(signal),
});
export const processQuery = (id: string) =>
  queryOptions({ queryKey: ["processes", id], queryFn: ({ signal }) => api.process(id, signal) });
/** What an action would do now: never from memory. */
export const impactQuery = (id: string, action: "kill" | "restart") =>
  queryOptions({
    queryKey: ["impact", id, action],
    queryFn: ({ signal }) => api.impact(id, action, signal),
    staleTime: 0,
    gcTime: 0,
  });
export const spawnTreeQuery = queryOptions({
  queryKey: ["spawn-tree"],
  queryFn: ({ signal }) => api.spawnTree(signal),
});
export const supervisorsQuery = queryOptions({
  queryKey: ["supervisors"],
  queryFn: ({ signal }) => api.supervisors(signal),
});

export const workflowsQuery = queryOptions({
  queryKey: ["workflows"],
  queryFn: ({ signal }) => api.workflows(signal),
});
export const workflowQuery = (name: string) =>
  queryOptions({ queryKey: ["workflows", name], queryFn: ({ signal }) => api.workflow(name, signal) });
export const runsQuery = (workflow: string) =>
  queryOptions({ queryKey: ["runs", workflow], queryFn: ({ signal }) => api.runs(workflow, signal) });
export const runQuery = (id: string) =>
  queryOptions({ queryKey: ["run", id], queryFn: ({ signal }) => api.run(id, signal) });

export const mcpServersQuery = queryOptions({
  queryKey: ["mcp"],
  queryFn: ({ signal }) => api.mcpServers(signal),
});
export const mcpRegistryQuery = queryOptions({
  queryKey: ["mcp", "registry"],
  queryFn: ({ signal }) => api.mcpRegistry(signal),
});
export const approvalsQuery = queryOptions({
  queryKey: ["approvals"],
  queryFn: ({ signal }) => api.approvals(signal),
});
