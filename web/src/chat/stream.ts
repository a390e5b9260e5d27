/** The events of a chat stream (http-api.md section 5), checked at the door: the rest of the code trusts them. */

export interface TurnMetrics {
  inputTokens: number;
  outputTokens: number;
  costUsd: number | null;
  durationMs: number;
}

export type StreamEvent =
  | { type: "turn_start"; turnId: string }
  | { type: "queued"; position: number }
  | { type: "text_delta"; delta: string; nestedAgent: string | null }
  | { type: "thinking_delta"; delta: string; nestedAgent: string | null }
  | {
      type: "approval_required";
      id: string;
      callId: string;
      name: string;
      arguments: unknown;
      expiresAt: string | null;
    }
  | { type: "approval_resolved"; id: string; decision: string }
  | { type: "tool_start"; id: string; name: string; arguments: unknown; nestedAgent: string | null }
  | { type: "tool_progress"; id: string; name: string; share: number | null; message: string }
  | { type: "tool_end"; id: string; name: string; result: string; durationMs: number; images: string[] }
  | { type: "retry"; errorClass: string; attempt: number; maxAttempts: number; delayMs: number }
  | { type: "restart"; incarnation: number; reason: string; restarts: number; maxRestarts: number | null }
  | { type: "message_reset"; text: string }
  | { type: "error"; error: string }
  | { type: "done"; stopReason: string | null; metrics: TurnMetrics | null };

type Json = Record<string, unknown>;

/** Reads one frame's data. Null for a type that this version does not know: the stream may gain types. */
export function parseStreamEvent(data: string): StreamEvent | null {
  const json = object(tryParse(data));
  switch (json.type) {
    case "turn_start":
      return { type: "turn_start", turnId: text(json.turn_id) };
    case "queued":
      return { type: "queued", position: number(json.position) };
    case "text_delta":
      return { type: "text_delta", delta: text(json.delta), nestedAgent: nested(json) };
    case "thinking_delta":
      return { type: "thinking_delta", delta: text(json.delta), nestedAgent: nested(json) };
    case "approval_required":
      return {
        type: "approval_required",
        id: text(json.approval_id),
        callId: call(json).id,
        name: text(json.tool_name),
        arguments: json.arguments,
        expiresAt: optional(json.expires_at),
      };
    case "approval_resolved":
      return { type: "approval_resolved", id: text(json.approval_id), decision: text(json.decision) };
    case "tool_start":
      return { type: "tool_start", ...call(json), arguments: json.arguments, nestedAgent: nested(json) };
    case "tool_progress":
      return { type: "tool_progress", ...call(json), share: share(json), message: text(json.message) };
    case "tool_end": {
      const durationMs = number(json.duration_ms);
      return { type: "tool_end", ...call(json), result: text(json.result), durationMs, images: images(json) };
    }
    case "retry":
      return retry(json);
    case "restart":
      return restart(json);
    case "message_reset":
      return isNested(json) ? null : { type: "message_reset", text: text(json.text) };
    case "error":
      return { type: "error", error: text(json.error) || "The turn failed without saying why." };
    case "done":
      return { type: "done", stopReason: optional(json.stop_reason), metrics: metrics(json.metrics) };
    default:
      return null;
  }
}

/** Ids are a model's own: two agents at work in one turn may give the same. */
function call(json: Json): { id: string; name: string } {
  const agent = nested(json);
  const id = text(json.tool_call_id);
  return { id: agent === null ? id : `${agent}/${id}`, name: text(json.tool_name) };
}

/** The ids of the images that a call gave; those of delegated work are in another conversation. */
function images(json: Json): string[] {
  if (isNested(json) || !Array.isArray(json.images)) return [];
  return json.images.filter((each) => typeof each === "string");
}

/** How far a call is, from 0 to 1; null where the tool does not say of how much. */
function share(json: Json): number | null {
  const total = number(json.total);
  return total > 0 ? Math.min(1, Math.max(0, number(json.progress) / total)) : null;
}

function retry(json: Json): StreamEvent | null {
  if (isNested(json)) return null;
  return {
    type: "retry",
    errorClass: text(json.class),
    attempt: number(json.attempt),
    maxAttempts: number(json.max_attempts),
    delayMs: number(json.delay_ms),
  };
}

function restart(json: Json): StreamEvent | null {
  if (isNested(json)) return null;
  const max = json.max_restarts;
  return {
    type: "restart",
    incarnation: number(json.incarnation),
    reason: text(json.reason),
    restarts: number(json.restarts),
    maxRestarts: typeof max === "number" ? max : null,
  };
}

function metrics(value: unknown): TurnMetrics | null {
  if (typeof value !== "object" || value === null) return null;
  const json = value as Json;
  const cost = json.cost_usd;
  return {
    inputTokens: number(json.input_tokens),
    outputTokens: number(json.output_tokens),
    costUsd: typeof cost === "number" ? cost : null,
    durationMs: number(json.duration_ms),
  };
}

function tryParse(data: string): unknown {
  try {
    return JSON.parse(data);
  } catch {
    return null; // not JSON, so no event of this protocol
  }
}

function object(value: unknown): Json {
  return typeof value === "object" && value !== null ? (value as Json) : {};
}

function text(value: unknown): string {
  return typeof value === "string" ? value : "";
}

function optional(value: unknown): string | null {
  return typeof value === "string" ? value : null;
}

function number(value: unknown): number {
  return typeof value === "number" && Number.isFinite(value) ? value : 0;
}

function nested(json: Json): string | null {
  return optional(json.nested_agent);
}

function isNested(json: Json): boolean {
  return nested(json) !== null;
}
