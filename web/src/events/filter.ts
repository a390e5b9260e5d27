import type { ServerEvent } from "../api/types";

/** The first parts of the event types, as the filter offers them. */
export const FAMILIES = [
  "process",
  "supervisor",
  "turn",
  "tool",
  "llm",
  "budget",
  "breaker",
  "workflow",
  "agent",
  "mcp",
  "approval",
  "session",
  "alert",
] as const;

export interface EventFilter {
  family: string;
  text: string;
}

/** Whether an event is of the family and holds every word of the text, in its fields or its data. */
export function wanted(event: ServerEvent, { family, text }: EventFilter): boolean {
  if (family !== "" && !event.type.startsWith(`${family}.`)) return false;
  if (text.trim() === "") return true;
  const shown = [event.type, event.agent, event.process_id, JSON.stringify(event.data ?? {})]
    .join(" ")
    .toLowerCase();
  return text
    .toLowerCase()
    .split(/\s+/)
    .every((word) => shown.includes(word));
}
