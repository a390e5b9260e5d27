/** What the other pages read, each under a key that says which events outdate it (`app/outdated.ts`). */

import { queryOptions } from "@tanstack/react-query";

import { TREE_EVENTS } from "../tree/past";
import { manage } from "./manage";
import type { CostsBy } from "./types";

const DAY_MS = 86_400_000;
const ALARMING = "process.failed,supervisor.*,breaker.opened,budget.*,workflow.failed,turn.failed,alert.*";

export const agentQuery = (name: string) =>
  queryOptions({ queryKey: ["agents", name], queryFn: ({ signal }) => manage.agent(name, signal) });
export const toolsQuery = queryOptions({
  queryKey: ["tools"],
  queryFn: ({ signal }) => manage.tools(signal),
});

export const sessionsQuery = (agent: string, q: string) =>
  queryOptions({
    queryKey: ["sessions", agent, q],
    queryFn: ({ signal }) => manage.sessions(agent, q, signal),
  });

export const statsQuery = queryOptions({
  queryKey: ["stats"],
  queryFn: ({ signal }) => manage.stats(signal),
});
export const costsQuery = (by: CostsBy) =>
  queryOptions({ queryKey: ["costs", by], queryFn: ({ signal }) => manage.costs(by, signal) });

export const processesQuery = queryOptions({
  queryKey: ["processes"],
  queryFn: ({ signal }) => manage.processes(signal),
});
/** What an action would do now: never from memory. */
export const impactQuery = (id: string, action: "kill" | "restart") =>
  queryOptions({
    queryKey: ["impact", id, action],
    queryFn: ({ signal }) => manage.impact(id, action, signal),
    staleTime: 0,
    gcTime: 0,
  });
export const spawnTreeQuery = queryOptions({
  queryKey: ["spawn-tree"],
  queryFn: ({ signal }) => manage.spawnTree(signal),
});
export const supervisorsQuery = queryOptions({
  queryKey: ["supervisors"],
  queryFn: ({ signal }) => manage.supervisors(signal),
});

export const workflowsQuery = queryOptions({
  queryKey: ["workflows"],
  queryFn: ({ signal }) => manage.workflows(signal),
});
export const workflowQuery = (name: string) =>
  queryOptions({ queryKey: ["workflows", name], queryFn: ({ signal }) => manage.workflow(name, signal) });
export const runsQuery = (workflow: string) =>
  queryOptions({ queryKey: ["runs", workflow], queryFn: ({ signal }) => manage.runs(workflow, signal) });
export const runQuery = (id: string) =>
  queryOptions({ queryKey: ["run", id], queryFn: ({ signal }) => manage.run(id, signal) });

export const mcpServersQuery = queryOptions({
  queryKey: ["mcp"],
  queryFn: ({ signal }) => manage.mcpServers(signal),
});
export const mcpRegistryQuery = queryOptions({
  queryKey: ["mcp", "registry"],
  queryFn: ({ signal }) => manage.mcpRegistry(signal),
});
export const schedulesQuery = queryOptions({
  queryKey: ["schedules"],
  queryFn: ({ signal }) => manage.schedules(signal),
});
export const settingsQuery = queryOptions({
  queryKey: ["settings"],
  queryFn: ({ signal }) => manage.settings(signal),
});
/** The newest page of the log, as it is when somebody begins to look. */
export const recentEventsQuery = queryOptions({
  queryKey: ["event-log"],
  queryFn: ({ signal }) => manage.eventLog({ limit: "200" }, signal),
  staleTime: 0,
  gcTime: 0,
});
/** What changed the tree, in order of time. */
export const treeEventsQuery = queryOptions({
  queryKey: ["event-log", "tree"],
  queryFn: async ({ signal }) => (await manage.wholeLog(TREE_EVENTS, signal)).reverse(),
  staleTime: 0,
  gcTime: 0,
});
/** What went wrong within the last day, the newest first. */
export const alertsQuery = queryOptions({
  queryKey: ["alerts"],
  queryFn: ({ signal }) =>
    manage.eventLog(
      { type: ALARMING, limit: "20", since: new Date(Date.now() - DAY_MS).toISOString() },
      signal,
    ),
});
export const approvalsQuery = queryOptions({
  queryKey: ["approvals"],
  queryFn: ({ signal }) => manage.approvals(signal),
});

export const meQuery = queryOptions({ queryKey: ["me"], queryFn: ({ signal }) => manage.me(signal) });
/** The faults that a visitor of the demo can play; none elsewhere. */
export const drillQuery = queryOptions({
  queryKey: ["drill"],
  queryFn: ({ signal }) => manage.drill(signal),
});
export const filesQuery = (path: string) =>
  queryOptions({
    queryKey: ["files", path],
    queryFn: ({ signal }) => manage.files(path, signal),
    staleTime: 0,
  });
export const fileQuery = (path: string) =>
  queryOptions({
    queryKey: ["file", path],
    queryFn: ({ signal }) => manage.file(path, signal),
    staleTime: 0,
  });
