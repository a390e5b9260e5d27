/** The events that happened before a tab began to listen, behind those that it heard. */

import type { ServerEvent } from "../api/types";
import { type Activity, KEPT } from "../app/useLive";

/** Of the log's newest page what came before the events that this tab heard. After a flood that would leave a gap. */
export function before(heard: readonly Activity[], recent: readonly ServerEvent[]): Activity[] {
  if (heard.length >= KEPT) return [];
  const oldest = heard.at(-1);
  const first = oldest === undefined ? Infinity : Number(oldest.key.split("/")[1]);
  return recent.filter((event) => (event.id ?? 0) < first).map(kept);
}

export function kept(event: ServerEvent): Activity {
  return { ...event, key: `log/${event.id ?? ""}` };
}
