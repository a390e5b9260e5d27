import type { ServerEvent } from "../api/types";

export type Tone = "bad" | "warn" | "good" | "plain";

const WARNINGS = ["process.restarting", "llm.retry", "budget.warning", "turn.cancelled"];
const GOOD = ["process.restarted", "process.completed", "turn.finished", "workflow.completed"];

/** How an event reads at a glance. */
export function tone(type: string): Tone {
  if (/\.(failed|gave_up|escalated|exceeded)$/.test(type)) return "bad";
  if (WARNINGS.includes(type) || type.startsWith("alert.")) return "warn";
  return GOOD.includes(type) ? "good" : "plain";
}

const TOLD = ["error", "reason", "tool_name", "workflow", "path", "message", "text", "task", "status"];

/** One line of what an event carries: for a restart the count, else the first fields that speak to people. */
export function describe(event: ServerEvent): string {
  const data = event.data ?? {};
  if (event.type === "process.restarting") return restarting(data);
  return TOLD.map((name) => data[name])
    .filter((value): value is string => typeof value === "string" && value !== "")
    .slice(0, 2)
    .join(": ")
    .slice(0, 200);
}

function restarting(data: Record<string, unknown>): string {
  const of = typeof data.max === "number" ? ` of ${data.max}` : "";
  const attempt = typeof data.attempt === "number" ? `restart ${data.attempt}${of}` : "restart";
  const delay = typeof data.delay_ms === "number" ? ` in ${data.delay_ms} ms` : "";
  return attempt + delay;
}
