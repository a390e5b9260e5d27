import { useQueryClient } from "@tanstack/react-query";
import { type ReactNode, useEffect, useState } from "react";

import { followEvents, type LiveStatus } from "../api/live";
import { agentsQuery, processesQuery, statsQuery } from "../api/queries";
import { useConversations } from "../chat/useConversation";
import { type Activity, LiveContext } from "./useLive";

const KEPT = 100;
/** Bursts of events refresh the lists once in this time, not once each. */
const REFRESH_MS = 400;

/** Follows the event stream for the whole tab: keeps the newest events and refreshes what they outdate. */
export function LiveEvents({ children }: { children: ReactNode }) {
  const [status, setStatus] = useState<LiveStatus>("connecting");
  const [activity, setActivity] = useState<readonly Activity[]>([]);
  const queries = useQueryClient();
  const conversations = useConversations();

  useEffect(() => {
    const stop = new AbortController();
    let gathered: Activity[] = [];
    let heard = 0;
    let timer: ReturnType<typeof setTimeout> | undefined;
    const refresh = (): void => {
      timer = undefined;
      const fresh = gathered.reverse();
      gathered = [];
      setActivity((known) => [...fresh, ...known].slice(0, KEPT));
      for (const query of [agentsQuery, statsQuery, processesQuery]) {
        void queries.invalidateQueries({ queryKey: query.queryKey });
      }
    };
    const onStatus = (next: LiveStatus): void => {
      setStatus(next);
      // What happened while nobody listened arrives by its id; ended lists may still be older than that.
      if (next === "live") timer ??= setTimeout(refresh, 0);
    };
    const onEvent: Parameters<typeof followEvents>[0]["onEvent"] = (event, id) => {
      conversations.heard(event);
      heard += 1;
      gathered.push({ ...event, key: `${heard}/${id}` });
      timer ??= setTimeout(refresh, REFRESH_MS);
    };
    void followEvents({ onEvent, onStatus }, stop.signal);
    return () => {
      stop.abort();
      clearTimeout(timer);
    };
  }, [queries, conversations]);

  return <LiveContext value={{ status, activity }}>{children}</LiveContext>;
}
