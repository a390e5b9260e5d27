/**
 * The conversation on screen, as a pure reduction of what was loaded and what streamed in.
 *
 * Rules: events belong to the last entry, an open answer; without one they change nothing. An answer's text parts
 * concatenate to what the server stores. After a restart the text goes back to what the server names, calls and
 * dividers stay where they were. A closed answer never changes again.
 */

import type { ChatMessage, StoredToolCall } from "../api/types";
import { type ShownFile, storedFile } from "./files";
import type { StreamEvent, TurnMetrics } from "./stream";

export type ToolState = "running" | "awaiting-approval" | "denied" | "done" | "failed" | "cancelled";

export interface TextPart {
  kind: "text";
  text: string;
}

export interface ToolPart {
  kind: "tool";
  id: string;
  name: string;
  arguments: unknown;
  state: ToolState;
  result: string | null;
  durationMs: number | null;
  nestedAgent: string | null;
  /** How often it was begun: a call that a crash interrupted starts again. */
  attempts: number;
  /** Images that it gave. */
  images: readonly ShownFile[];
  /** How far it is, while it runs and says so. */
  progress: { share: number | null; message: string } | null;
}

export interface RestartPart {
  kind: "restart";
  restarts: number;
  maxRestarts: number | null;
  incarnation: number;
  reason: string;
}

/** A call that waits for a human's word; `decision` is null until it is given. */
export interface ApprovalPart {
  kind: "approval";
  id: string;
  callId: string;
  name: string;
  arguments: unknown;
  expiresAt: string | null;
  decision: string | null;
}

/** What the model thought before it spoke; no part of the answer. */
export interface ThinkingPart {
  kind: "thinking";
  text: string;
}

export type Part = TextPart | ToolPart | RestartPart | ApprovalPart | ThinkingPart;

/** `waiting`: nothing came yet. `lost`: the connection broke; the turn itself goes on at the server. */
export type AnswerStatus = "waiting" | "streaming" | "done" | "failed" | "cancelled" | "lost";

export interface Question {
  kind: "question";
  key: string;
  text: string;
  files: readonly ShownFile[];
}

export interface Answer {
  kind: "answer";
  key: string;
  status: AnswerStatus;
  parts: readonly Part[];
  /** What is going on when no text comes: a place in the queue, a retry. */
  notice: string | null;
  error: string | null;
  hint: string | null;
  /** "" until the server has told it. */
  turnId: string;
  /** The question was refused at the door and is in no history. */
  unsent: boolean;
  metrics: TurnMetrics | null;
}

export type Entry = Question | Answer;
export type Transcript = readonly Entry[];

export type Action =
  | { type: "loaded"; messages: readonly ChatMessage[] }
  | { type: "asked"; key: string; text: string; files?: readonly ShownFile[] }
  | { type: "joined"; key: string }
  | { type: "event"; event: StreamEvent }
  | { type: "refused"; error: string; hint: string | null }
  | { type: "lost"; error: string };

export const EMPTY: Transcript = [];

export function reduce(transcript: Transcript, action: Action): Transcript {
  switch (action.type) {
    case "loaded":
      return action.messages.map((message) => entryOf(message));
    case "asked":
      return [
        ...transcript,
        { kind: "question", key: `${action.key}q`, text: action.text, files: action.files ?? [] },
        blank(`${action.key}a`, "waiting"),
      ];
    case "joined":
      return [...transcript, blank(action.key, "waiting")];
    case "event":
      return changeOpen(transcript, (answer) => apply(answer, action.event));
    case "refused":
      return changeOpen(transcript, (answer) => ({
        ...close(answer, "failed"),
        error: action.error,
        hint: action.hint,
        unsent: true,
      }));
    case "lost":
      return changeOpen(transcript, (answer) => ({ ...close(answer, "lost"), error: action.error }));
  }
}

/** The text of an answer: what the server stores, and what Copy copies. */
export function answerText(answer: Answer): string {
  return answer.parts.map((part) => (part.kind === "text" ? part.text : "")).join("");
}

export function isOpen(answer: Answer): boolean {
  return answer.status === "waiting" || answer.status === "streaming";
}

function blank(key: string, status: AnswerStatus): Answer {
  const nothing = { notice: null, error: null, hint: null, metrics: null };
  return { kind: "answer", key, status, parts: [], turnId: "", unsent: false, ...nothing };
}

function changeOpen(transcript: Transcript, change: (answer: Answer) => Answer): Transcript {
  const last = transcript.at(-1);
  if (last?.kind !== "answer" || !isOpen(last)) return transcript;
  const changed = change(last);
  return changed === last ? transcript : [...transcript.slice(0, -1), changed];
}

function apply(answer: Answer, event: StreamEvent): Answer {
  switch (event.type) {
    case "turn_start":
      return { ...answer, turnId: event.turnId, notice: null };
    case "queued":
      return {
        ...answer,
        notice: `Waiting for the turn before this one (place ${event.position} in the queue)`,
      };
    case "thinking_delta":
      return event.nestedAgent === null ? withParts(answer, think(answer.parts, event.delta)) : answer;
    case "approval_required": {
      const { id, callId, name, arguments: given, expiresAt } = event;
      const request = {
        kind: "approval" as const,
        id,
        callId,
        name,
        arguments: given,
        expiresAt,
        decision: null,
      };
      // A process that was restarted asks again under the same id.
      const others = answer.parts.filter((part) => part.kind !== "approval" || part.id !== id);
      return withParts(answer, [...awaiting(others, callId), request]);
    }
    case "approval_resolved":
      return withParts(answer, decided(answer.parts, event.id, event.decision));
    case "text_delta":
      // What a delegate says is its own; it reaches the leader's answer as a tool's result.
      return event.nestedAgent === null ? withParts(answer, append(answer.parts, event.delta)) : answer;
    case "tool_start":
      return withParts(answer, started(answer.parts, event));
    case "tool_progress":
      return withParts(answer, going(answer.parts, event));
    case "tool_end":
      return withParts(answer, finished(answer.parts, event));
    case "retry":
      return { ...answer, notice: retryNotice(event) };
    case "restart":
      return withParts(answer, [...answer.parts, divider(event)]);
    case "message_reset":
      return withParts(answer, resetText(answer.parts, event.text));
    case "error":
      return { ...answer, error: event.error };
    case "done":
      return { ...close(answer, ending(answer, event.stopReason)), metrics: event.metrics };
  }
}

function withParts(answer: Answer, parts: readonly Part[]): Answer {
  return { ...answer, parts, status: "streaming", notice: null };
}

function append(parts: readonly Part[], delta: string): readonly Part[] {
  const last = parts.at(-1);
  if (last?.kind !== "text") return delta === "" ? parts : [...parts, { kind: "text", text: delta }];
  return [...parts.slice(0, -1), { kind: "text", text: last.text + delta }];
}

function think(parts: readonly Part[], delta: string): readonly Part[] {
  const last = parts.at(-1);
  if (last?.kind !== "thinking") return [...parts, { kind: "thinking", text: delta }];
  return [...parts.slice(0, -1), { kind: "thinking", text: last.text + delta }];
}

function decided(parts: readonly Part[], id: string, decision: string): readonly Part[] {
  const asked = parts.find((part) => part.kind === "approval" && part.id === id);
  const callId = asked?.kind === "approval" ? asked.callId : null;
  return parts.map((part) => {
    if (part.kind === "approval" && part.id === id) return { ...part, decision };
    const waited = callId !== null && isTool(part, callId) && part.state === "awaiting-approval";
    return waited ? { ...part, state: decision === "deny" ? "denied" : "running" } : part;
  });
}

function awaiting(parts: readonly Part[], callId: string): readonly Part[] {
  return parts.map((part) => (isTool(part, callId) ? { ...part, state: "awaiting-approval" } : part));
}

function going(
  parts: readonly Part[],
  event: Extract<StreamEvent, { type: "tool_progress" }>,
): readonly Part[] {
  const progress = { share: event.share, message: event.message };
  return parts.map((part) => (isTool(part, event.id) ? { ...part, progress } : part));
}

type ToolStart = Extract<StreamEvent, { type: "tool_start" }>;
type ToolEnd = Extract<StreamEvent, { type: "tool_end" }>;

function started(parts: readonly Part[], event: ToolStart): readonly Part[] {
  const before = parts.find((part) => isTool(part, event.id));
  const tool: ToolPart = {
    kind: "tool",
    id: event.id,
    name: event.name,
    arguments: event.arguments,
    state: "running",
    result: null,
    durationMs: null,
    nestedAgent: event.nestedAgent,
    attempts: (before?.attempts ?? 0) + 1,
    images: [],
    progress: null,
  };
  // A call that a crash interrupted starts again under its id: still one panel.
  return before ? parts.map((part) => (isTool(part, event.id) ? tool : part)) : [...parts, tool];
}

function finished(parts: readonly Part[], event: ToolEnd): readonly Part[] {
  const denied = parts.some(
    (part) => part.kind === "approval" && part.callId === event.id && part.decision === "deny",
  );
  const state = denied ? "denied" : outcome(event.result);
  const { result, durationMs } = event;
  const images = event.images.map((id) => ({ id, name: "", mediaType: "image/*", size: 0, data: null }));
  return parts.map((part) =>
    isTool(part, event.id) ? { ...part, state, result, durationMs, images } : part,
  );
}

function isTool(part: Part, id: string): part is ToolPart {
  return part.kind === "tool" && part.id === id;
}

function outcome(result: string): ToolState {
  return result.startsWith("Error: ") ? "failed" : "done";
}

function divider(event: Extract<StreamEvent, { type: "restart" }>): RestartPart {
  const { restarts, maxRestarts, incarnation, reason } = event;
  return { kind: "restart", restarts, maxRestarts, incarnation, reason };
}

function retryNotice(event: Extract<StreamEvent, { type: "retry" }>): string {
  const why = event.errorClass.replaceAll("_", " ") || "the model failed";
  const seconds = Math.max(1, Math.round(event.delayMs / 1000));
  return `${why}: attempt ${event.attempt} of ${event.maxAttempts} in ${seconds} s`;
}

/** Goes back to `text`: text parts keep what is its prefix, the rest of them was said by the lost attempt. */
function resetText(parts: readonly Part[], text: string): readonly Part[] {
  const kept: Part[] = [];
  let rest = text;
  for (const part of parts) {
    if (part.kind !== "text") {
      kept.push(part);
    } else if (rest.startsWith(part.text)) {
      kept.push(part);
      rest = rest.slice(part.text.length);
    } else if (part.text.startsWith(rest)) {
      if (rest !== "") kept.push({ kind: "text", text: rest });
      rest = "";
    } else {
      return append(
        parts.filter((other) => other.kind !== "text"),
        text,
      );
    }
  }
  return append(kept, rest);
}

function ending(answer: Answer, stopReason: string | null): AnswerStatus {
  if (stopReason === "cancelled") return "cancelled";
  return answer.error === null && stopReason !== "error" ? "done" : "failed";
}

function close(answer: Answer, status: AnswerStatus): Answer {
  const parts = answer.parts.map((part) =>
    part.kind === "tool" && OPEN.includes(part.state) ? { ...part, state: "cancelled" as const } : part,
  );
  return { ...answer, parts, status, notice: null };
}

const OPEN: readonly ToolState[] = ["running", "awaiting-approval"];

function entryOf(message: ChatMessage): Entry {
  const key = `m${message.id}`;
  if (message.role === "user") {
    return {
      kind: "question",
      key,
      text: message.content,
      files: (message.attachments ?? []).map(storedFile),
    };
  }
  const turnId = message.id.split(":")[0] ?? "";
  return { ...blank(key, "done"), turnId, parts: interleave(message.content, message.tool_calls ?? []) };
}

/** Puts stored calls back where they happened. */
function interleave(content: string, calls: readonly StoredToolCall[]): readonly Part[] {
  const characters = Array.from(content); // offsets count code points, as the server does
  const parts: Part[] = [];
  let position = 0;
  const say = (end: number): void => {
    const text = characters.slice(position, end).join("");
    if (text !== "") parts.push({ kind: "text", text });
    position = Math.max(position, end);
  };
  for (const call of calls) {
    say(Math.min(call.text_offset, characters.length));
    parts.push(storedTool(call));
  }
  say(characters.length);
  return parts;
}

function storedTool(call: StoredToolCall): ToolPart {
  return {
    kind: "tool",
    id: call.tool_call_id,
    name: call.tool_name,
    arguments: call.arguments,
    state: call.error ? "failed" : outcome(call.result),
    result: call.result,
    durationMs: call.duration_ms,
    nestedAgent: null,
    attempts: 1,
    images: (call.images ?? []).map(storedFile),
    progress: null,
  };
}
