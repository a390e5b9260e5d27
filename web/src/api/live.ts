/** The tab's one connection to the event stream: it reconnects by itself and resumes where it broke off. */

import { request } from "./client";
import { frames } from "./sse";
import type { ServerEvent } from "./types";

export type LiveStatus = "connecting" | "live" | "reconnecting";

export interface LiveHandlers {
  onEvent: (event: ServerEvent, id: string) => void;
  onStatus: (status: LiveStatus) => void;
}

const FIRST_DELAY_MS = 500;
const LONGEST_DELAY_MS = 15_000;

/** Runs until the signal aborts. */
export async function followEvents(handlers: LiveHandlers, signal: AbortSignal): Promise<void> {
  let lastId = "";
  let delay = FIRST_DELAY_MS;
  const stopped = (): boolean => signal.aborted;
  handlers.onStatus("connecting");
  while (!stopped()) {
    try {
      const headers: Record<string, string> = lastId === "" ? {} : { "Last-Event-ID": lastId };
      const response = await request("/api/events", { headers, signal });
      handlers.onStatus("live");
      delay = FIRST_DELAY_MS;
      if (response.body) {
        for await (const frame of frames(response.body)) {
          lastId = frame.id ?? lastId;
          const event = parseEvent(frame.data);
          if (event) handlers.onEvent(event, lastId);
        }
      }
    } catch {
      if (stopped()) return; // any other failure is shown as the status below, and tried again
    }
    handlers.onStatus("reconnecting");
    await pause(delay, signal);
    delay = Math.min(delay * 2, LONGEST_DELAY_MS);
  }
}

function parseEvent(data: string): ServerEvent | null {
  try {
    const value: unknown = JSON.parse(data);
    const known =
      typeof value === "object" && value !== null && "type" in value && typeof value.type === "string";
    return known ? (value as ServerEvent) : null;
  } catch {
    return null; // not an event of ours
  }
}

function pause(ms: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const timer = setTimeout(resolve, ms);
    signal.addEventListener(
      "abort",
      () => {
        clearTimeout(timer);
        resolve();
      },
      { once: true },
    );
  });
}
