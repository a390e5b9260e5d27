import type { Agent, ChatMessage, ChatStatus, ProcessDetail, ServerEvent } from "./types";

/** What the server refused, in its own words; `status` 0 means that it was not reached at all. */
export class ApiError extends Error {
  readonly status: number;
  readonly hint: string | undefined;

  constructor(message: string, status: number, hint?: string) {
    super(message);
    this.name = "ApiError";
    this.status = status;
    this.hint = hint;
  }
}

const UNREACHABLE = "The server does not answer. Is vega serve still running?";

/** One request to our own server. Throws ApiError, or the signal's AbortError. */
export async function request(path: string, init: RequestInit = {}): Promise<Response> {
  let response: Response;
  try {
    response = await fetch(path, init);
  } catch (error) {
    if (init.signal?.aborted) throw error;
    throw new ApiError(UNREACHABLE, 0);
  }
  if (!response.ok) throw await refusal(response);
  return response;
}

async function refusal(response: Response): Promise<ApiError> {
  const body = parse(await response.text());
  const text = field(body, "error") ?? `${response.status} ${response.statusText}`.trim();
  return new ApiError(text, response.status, field(body, "hint"));
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return null; // a proxy's HTML page, say: the status line is all there is to tell
  }
}

function field(body: unknown, name: string): string | undefined {
  if (typeof body !== "object" || body === null) return undefined;
  const value = (body as Record<string, unknown>)[name];
  return typeof value === "string" && value !== "" ? value : undefined;
}

export async function getJson<T>(path: string, signal?: AbortSignal): Promise<T> {
  const response = await request(path, signal ? { signal } : {});
  return (await response.json()) as T;
}

export function postJson(path: string, body: unknown, init: RequestInit = {}): Promise<Response> {
  const headers = { ...headersOf(init), "Content-Type": "application/json" };
  return request(path, { method: "POST", ...init, headers, body: JSON.stringify(body) });
}

function headersOf(init: RequestInit): Record<string, string> {
  return Object.fromEntries(new Headers(init.headers));
}

export function at(...segments: string[]): string {
  return ["/api", ...segments.map(encodeURIComponent)].join("/");
}

export function chatPath(agent: string): string {
  return `${at("agents", agent)}/chat`;
}

export function inSession(path: string, session: string | null): string {
  return session === null ? path : `${path}?${new URLSearchParams({ session }).toString()}`;
}

const OF_TURNS = "turn.finished,turn.failed,turn.cancelled,process.restarting,tool.started";

/** What the chat asks for, and changes by `calls`; the other pages' part is `manage.ts`, loaded with the first of them. */
export const api = {
  agents: (signal?: AbortSignal) => getJson<Agent[]>("/api/agents", signal),
  history: (agent: string, session: string | null, signal?: AbortSignal) =>
    getJson<ChatMessage[]>(inSession(chatPath(agent), session), signal),
  status: (agent: string, session: string | null, signal?: AbortSignal) =>
    getJson<ChatStatus>(inSession(`${chatPath(agent)}/status`, session), signal),
  /** The conversation that the server means where none is named; only it knows. */
  sessionMeant: async (agent: string) =>
    (await request(`${chatPath(agent)}/status`)).headers.get("X-Session-Id") ?? "",
  /** What the log tells of an agent's turns, the newest first. A conversation has the id of its process. */
  turns: (agent: string, session: string | null) =>
    getJson<ServerEvent[]>(
      `/api/events/log?${new URLSearchParams({
        type: OF_TURNS,
        limit: "200",
        ...(session === null ? { agent } : { process_id: session }),
      }).toString()}`,
    ),
  process: (id: string, signal?: AbortSignal) => getJson<ProcessDetail>(at("processes", id), signal),
};
