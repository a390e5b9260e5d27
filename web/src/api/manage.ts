/** What every page but the chat reads, and the changes whose answer it needs; the others are `calls`. */

import { calls, perform } from "./calls";
import { at, getJson, request } from "./client";
import type {
  AgentDetail,
  Approval,
  Costs,
  CostsBy,
  Fault,
  FileContent,
  FileEntry,
  Impact,
  McpOffer,
  McpServer,
  Me,
  ProcessSummary,
  Run,
  Schedule,
  ServerEvent,
  Session,
  Setting,
  SpawnNode,
  Stats,
  SupervisorNode,
  ToolInfo,
  Workflow,
  WorkflowDetail,
} from "./types";

const PAGE = 500; // the most that the server puts into one page
const MOST_PAGES = 20;

/** A whole list, page after page; a list of more than 10,000 ends there. */
async function getPages<T>(path: string, signal?: AbortSignal): Promise<T[]> {
  const all: T[] = [];
  let next: string | undefined = `${path}${path.includes("?") ? "&" : "?"}limit=${PAGE}`;
  for (let page = 0; next !== undefined && page < MOST_PAGES; page += 1) {
    const response: Response = await request(next, signal ? { signal } : {});
    all.push(...((await response.json()) as T[]));
    next = /<([^>]+)>;\s*rel="next"/.exec(response.headers.get("Link") ?? "")?.[1];
  }
  return all;
}

async function answerOf<T>(response: Promise<Response>): Promise<T> {
  return (await (await response).json()) as T;
}

export const manage = {
  agent: (name: string, signal?: AbortSignal) => getJson<AgentDetail>(at("agents", name), signal),
  tools: (signal?: AbortSignal) => getJson<ToolInfo[]>("/api/tools", signal),
  sessions: (agent: string, q: string, signal?: AbortSignal) =>
    getJson<Session[]>(`/api/sessions?${new URLSearchParams({ agent, q }).toString()}`, signal),
  newSession: (agent: string) => answerOf<Session>(perform(calls.newSession(agent))),
  stats: (signal?: AbortSignal) => getJson<Stats>("/api/stats", signal),
  costs: (by: CostsBy, signal?: AbortSignal) => getJson<Costs>(`/api/costs?by=${by}`, signal),
  eventLog: (query: Record<string, string>, signal?: AbortSignal) =>
    getJson<ServerEvent[]>(`/api/events/log?${new URLSearchParams(query).toString()}`, signal),
  /** Newest first. */
  wholeLog: (type: string, signal?: AbortSignal) =>
    getPages<ServerEvent>(`/api/events/log?${new URLSearchParams({ type }).toString()}`, signal),
  processes: (signal?: AbortSignal) => getPages<ProcessSummary>("/api/processes", signal),
  impact: (id: string, action: "kill" | "restart", signal?: AbortSignal) =>
    getJson<Impact>(`${at("processes", id)}/impact?action=${action}`, signal),
  spawnTree: (signal?: AbortSignal) => getJson<SpawnNode[]>("/api/spawn-tree", signal),
  supervisors: (signal?: AbortSignal) => getJson<SupervisorNode[]>("/api/supervisors", signal),
  workflows: (signal?: AbortSignal) => getJson<Workflow[]>("/api/workflows", signal),
  workflow: (name: string, signal?: AbortSignal) => getJson<WorkflowDetail>(at("workflows", name), signal),
  startRun: (name: string, inputs: Record<string, unknown>) =>
    answerOf<{ run_id: string }>(perform(calls.startRun(name, inputs))),
  rerun: (id: string) => answerOf<{ run_id: string }>(perform(calls.rerun(id))),
  fork: (process: string, event: number) => answerOf<ProcessSummary>(perform(calls.fork(process, event))),
  runs: (workflow: string, signal?: AbortSignal) =>
    getJson<Run[]>(`/api/runs?${new URLSearchParams({ workflow, limit: "50" }).toString()}`, signal),
  run: (id: string, signal?: AbortSignal) => getJson<Run>(at("runs", id), signal),
  mcpServers: (signal?: AbortSignal) => getJson<McpServer[]>("/api/mcp/servers", signal),
  mcpRegistry: (signal?: AbortSignal) => getJson<McpOffer[]>("/api/mcp/registry", signal),
  schedules: (signal?: AbortSignal) => getJson<Schedule[]>("/api/schedules", signal),
  settings: (signal?: AbortSignal) => getJson<Setting[]>("/api/settings", signal),
  approvals: (signal?: AbortSignal) => getJson<Approval[]>("/api/approvals", signal),
  drill: (signal?: AbortSignal) => getJson<Fault[]>("/api/drill", signal),
  me: (signal?: AbortSignal) => getJson<Me>("/api/auth/me", signal),
  files: (path: string, signal?: AbortSignal) =>
    getPages<FileEntry>(`/api/files?${new URLSearchParams({ path }).toString()}`, signal),
  file: (path: string, signal?: AbortSignal) =>
    getJson<FileContent>(`/api/files/read?${new URLSearchParams({ path }).toString()}`, signal),
};
