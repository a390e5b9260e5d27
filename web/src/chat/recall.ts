/**
 * What the history does not keep of past turns, taken from the log of events: the restarts within an answer, what it
 * took and cost, that it was stopped, and why one failed that has no answer at all.
 */

import type { ServerEvent } from "../api/types";
import type { TurnMetrics } from "./stream";
import { type Answer, type Entry, isOpen, type Part, type RestartPart, type Transcript } from "./transcript";

/** The transcript with what `events`, the newest first, tell of its turns. Open answers stay as they are. */
export function recalled(transcript: Transcript, events: readonly ServerEvent[]): Transcript {
  const turns = byTurn(events);
  return transcript.flatMap((entry, index): Entry[] => {
    const turn = turns.get(turnOf(entry)) ?? [];
    if (entry.kind === "answer") return [told(entry, turn)];
    const answered = transcript[index + 1]?.kind === "answer";
    return answered || !turn.some((event) => event.type === "turn.failed")
      ? [entry]
      : [entry, told(unanswered(turnOf(entry)), turn)];
  });
}

function byTurn(events: readonly ServerEvent[]): Map<string, ServerEvent[]> {
  const turns = new Map<string, ServerEvent[]>();
  for (const event of events) {
    const id = event.data?.turn_id;
    if (typeof id === "string") turns.set(id, [event, ...(turns.get(id) ?? [])]);
  }
  return turns;
}

/** A question of the history is named after its message, and that after its turn. */
function turnOf(entry: Entry): string {
  return entry.kind === "answer" ? entry.turnId : (/^m(.+):user$/.exec(entry.key)?.[1] ?? "");
}

function unanswered(turnId: string): Answer {
  const nothing = { notice: null, error: null, hint: null, metrics: null };
  const key = `m${turnId}:failed`;
  return { kind: "answer", key, status: "done", parts: [], turnId, unsent: false, ...nothing };
}

function told(answer: Answer, turn: readonly ServerEvent[]): Answer {
  if (isOpen(answer)) return answer;
  const end = turn.findLast((event) => /^turn\.(finished|failed|cancelled)$/.test(event.type));
  if (end === undefined) return answer;
  const data = end.data ?? {};
  const parts = withRestarts(answer.parts, turn);
  if (end.type === "turn.failed")
    return {
      ...answer,
      parts,
      status: "failed",
      error: typeof data.error === "string" ? data.error : "The turn failed",
    };
  if (end.type === "turn.cancelled") return { ...answer, parts, status: "cancelled" };
  return { ...answer, parts, metrics: answer.metrics ?? metricsOf(data) };
}

function metricsOf(data: Record<string, unknown>): TurnMetrics {
  const number = (name: string): number => (typeof data[name] === "number" ? data[name] : 0);
  return {
    inputTokens: number("input_tokens"),
    outputTokens: number("output_tokens"),
    costUsd: typeof data.cost_usd === "number" ? data.cost_usd : null,
    durationMs: number("duration_ms"),
  };
}

/** A restart stands behind the calls that were begun before it; what was said after them started over. */
function withRestarts(parts: readonly Part[], turn: readonly ServerEvent[]): readonly Part[] {
  const begun = new Set<unknown>();
  const shown = [...parts];
  for (const event of turn) {
    const data = event.data ?? {};
    if (event.type === "tool.started") begun.add(data.tool_call_id);
    if (event.type !== "process.restarting") continue;
    const divider = dividerOf(data);
    const known = shown.some((part) => part.kind === "restart" && part.incarnation === divider.incarnation);
    if (!known) shown.splice(behind(shown, begun), 0, divider);
  }
  return shown;
}

function behind(parts: readonly Part[], begun: ReadonlySet<unknown>): number {
  const before = (part: Part): boolean =>
    part.kind === "restart" || (part.kind === "tool" && begun.has(part.id));
  return parts.findLastIndex(before) + 1;
}

function dividerOf(data: Record<string, unknown>): RestartPart {
  const { attempt, max, incarnation, reason } = data;
  return {
    kind: "restart",
    restarts: typeof attempt === "number" ? attempt : 1,
    maxRestarts: typeof max === "number" ? max : null,
    incarnation: typeof incarnation === "number" ? incarnation + 1 : 0,
    reason: typeof reason === "string" ? reason : "",
  };
}
