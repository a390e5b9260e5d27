/**
 * Every change that the pages make, as a value: what is sent, and how the same is done in a terminal. What is shown as a
 * command and what a button does are one thing, so they cannot differ.
 */

import { at, chatPath, inSession, request } from "./client";
import type { NewAgent, NewMcpServer, NewSchedule } from "./types";

export interface Call {
  method: "POST" | "PUT" | "PATCH" | "DELETE";
  path: string;
  /** null: none. */
  body: unknown;
  /** The words of the command line that does the same, `vega` first; null where there is none. */
  vega: readonly string[] | null;
}

function call(method: Call["method"], path: string, body: unknown, ...vega: string[]): Call {
  return { method, path, body, vega: vega.length === 0 ? null : ["vega", ...vega] };
}

export const calls = {
  say: (agent: string, message: string) =>
    call("POST", `${at("agents", agent)}/chat`, { message }, "chat", agent, "-p", message),
  stopTurn: (agent: string, session: string | null) =>
    call("POST", inSession(`${chatPath(agent)}/stop`, session), session === null ? {} : { session }),
  clear: (agent: string, session: string | null) => call("DELETE", inSession(chatPath(agent), session), null),
  newSession: (agent: string) => call("POST", "/api/sessions", { agent }),
  renameSession: (id: string, title: string) => call("PATCH", at("sessions", id), { title }),
  deleteSession: (id: string) => call("DELETE", at("sessions", id), null),
  regenerate: (session: string) => call("POST", `${at("sessions", session)}/regenerate`, {}),
  edit: (session: string, message: string) => call("POST", `${at("sessions", session)}/edit`, { message }),
  /** Without a turn, all of the conversation goes along. */
  branch: (session: string, turnId?: string) =>
    call("POST", `${at("sessions", session)}/branch`, turnId === undefined ? {} : { message_id: turnId }),
  createAgent: (agent: NewAgent) => call("POST", "/api/agents", agent),
  deleteAgent: (name: string) => call("DELETE", at("agents", name), null),
  killProcess: (id: string) => call("DELETE", at("processes", id), null, "kill", id, "--yes"),
  restartProcess: (id: string) => call("POST", `${at("processes", id)}/restart`, {}, "restart", id, "--yes"),
  stopProcess: (id: string) => call("POST", `${at("processes", id)}/stop`, {}, "stop", id),
  startRun: (name: string, inputs: Record<string, unknown>) =>
    call(
      "POST",
      `${at("workflows", name)}/run`,
      { inputs },
      "run",
      "--workflow",
      name,
      ...Object.entries(inputs).flatMap(([key, value]) => ["--set", `${key}=${worded(value)}`]),
    ),
  cancelRun: (id: string) => call("POST", `${at("runs", id)}/cancel`, {}),
  rerun: (id: string) => call("POST", `${at("runs", id)}/rerun`, {}),
  fork: (process: string, event: number) =>
    call("POST", `${at("processes", process)}/fork`, { at: event }, "fork", process, "--at", String(event)),
  putSetting: (key: string, value: string) => call("PUT", "/api/settings", { key, value }),
  removeSetting: (key: string) => call("DELETE", at("settings", key), null),
  addMcpServer: (server: NewMcpServer) => call("POST", "/api/mcp/servers", server),
  removeMcpServer: (name: string) => call("DELETE", at("mcp", "servers", name), null),
  refreshMcpServer: (name: string) => call("POST", `${at("mcp", "servers", name)}/refresh`, {}),
  disableMcpServer: (name: string, disabled: boolean) =>
    call("PUT", `${at("mcp", "servers", name)}/disable`, { disabled }),
  approveTools: (server: string) => call("POST", `${at("mcp", "servers", server)}/approve`, {}),
  addSchedule: (schedule: NewSchedule) => call("POST", "/api/schedules", schedule),
  switchSchedule: (name: string, enabled: boolean) => call("PUT", at("schedules", name), { enabled }),
  removeSchedule: (name: string) => call("DELETE", at("schedules", name), null),
  decide: (id: string, decision: "approve" | "deny", note: string) =>
    call(
      "POST",
      at("approvals", id),
      note === "" ? { decision } : { decision, note },
      decision,
      id,
      ...(note === "" ? [] : ["--note", note]),
    ),
  deleteFile: (path: string, recursive: boolean) =>
    call(
      "DELETE",
      `/api/files?${new URLSearchParams({ path, recursive: String(recursive) }).toString()}`,
      null,
    ),
  drill: (fault: string, process: string | null) =>
    call("POST", "/api/drill", process === null ? { fault } : { fault, process_id: process }),
};

function worded(value: unknown): string {
  return typeof value === "string" ? value : JSON.stringify(value);
}

export function perform({ method, path, body }: Call): Promise<Response> {
  if (body === null) return request(path, { method });
  return request(path, {
    method,
    headers: { "Content-Type": "application/json" },
    body: JSON.stringify(body),
  });
}

/** Where a command is given: the server's address, and whether it asks for a token. */
export interface Place {
  origin: string;
  token: boolean;
}

const DEFAULT_ORIGIN = "http://localhost:3001";

/** The command of `vega`; it takes a token from the environment by itself. */
export function vegaCommand({ vega }: Call, { origin }: Place): string | null {
  if (vega === null) return null;
  const local = vega[1] === "run" || vega[1] === "chat"; // these open the document themselves
  const words = origin === DEFAULT_ORIGIN || local ? vega : [...vega, "--url", origin];
  return words.map(quoted).join(" ");
}

/** The command of `curl`; a token is named, never written out. */
export function curlCommand({ method, path, body }: Call, { origin, token }: Place): string {
  const words = ["curl"];
  if (body === null || method !== "POST") words.push("-X", method);
  words.push(quoted(origin + path));
  if (token) words.push("-H", '"Authorization: Bearer $VEGA_TOKEN"');
  if (body !== null)
    words.push("-H", quoted("Content-Type: application/json"), "-d", quoted(JSON.stringify(body)));
  return words.join(" ");
}

/** A word as a POSIX shell reads it back, whatever is in it. */
export function quoted(word: string): string {
  if (/^[\w@%+=:,./-]+$/.test(word)) return word;
  return `'${word.replaceAll("'", "'\\''")}'`;
}
