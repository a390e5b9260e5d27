import type { ProcessStatus, ProcessSummary } from "../api/types";

export const STATUSES: readonly ProcessStatus[] = ["pending", "running", "completed", "failed", "timeout"];

export function processAddress(id: string): string {
  return `/processes/${encodeURIComponent(id)}`;
}

export function isAlive(status: ProcessStatus): boolean {
  return status === "running" || status === "pending";
}

/** What people know a process by. A function's process has no agent. */
export function nameOf(process: Pick<ProcessSummary, "agent" | "name" | "id">): string {
  return process.agent === "" ? (process.name ?? process.id) : process.agent;
}

/** A process where several are told apart: by name, and by id. */
export function nameAndId(known: ProcessSummary | undefined, id: string): string {
  const name = known ? nameOf(known) : id;
  return name === id ? id : `${name} (${id})`;
}

const CONTEXT_BEGINS = "<delegation_context>\n";
const WORK_BEGINS = "\n</delegation_context>\n<task>\n";
const WORK_ENDS = "\n</task>";

/** What a process is to do. Delegated work comes with the conversation it arose from; here only the work matters. */
export function workOf(task = ""): string {
  // Models write tasks: a pattern that looks for both ends could be made to look for minutes.
  const begin = task.indexOf(WORK_BEGINS);
  if (!task.startsWith(CONTEXT_BEGINS) || begin < 0 || !task.endsWith(WORK_ENDS)) return task;
  return task.slice(begin + WORK_BEGINS.length, -WORK_ENDS.length).trim();
}

/** What a process waits for, without the id that its page has. */
export function waitOf(waiting: string | undefined): string {
  return waiting?.replace(/ [0-9a-f]{12,}$/, "") ?? "";
}

/** Whether every word of `text` occurs in what is shown of a process. */
export function matches(row: ProcessSummary, text: string): boolean {
  const shown = [row.agent, row.task, row.name, row.id, row.exit_reason, row.waiting_on]
    .join(" ")
    .toLowerCase();
  return text
    .toLowerCase()
    .split(/\s+/)
    .every((word) => shown.includes(word));
}
