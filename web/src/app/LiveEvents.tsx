import { useQueryClient } from "@tanstack/react-query";
import { type ReactNode, useEffect, useState } from "react";

import { followEvents, type LiveStatus } from "../api/live";
import { useConversations } from "../chat/useConversation";
import { ALL, outdatedBy } from "./outdated";
import { type Activity, KEPT, LiveContext } from "./useLive";

/** Bursts of events refresh the lists once in this time, not once each; storms less often still. */
const REFRESH_MS = 400;
const STORM_REFRESH_MS = 2000;
const STORM = 50;

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
    let pause = REFRESH_MS;
    let missed = false;
    let timer: ReturnType<typeof setTimeout> | undefined;
    const refresh = (): void => {
      timer = undefined;
      const fresh = gathered.reverse();
      gathered = [];
      pause = fresh.length > STORM ? STORM_REFRESH_MS : REFRESH_MS;
      if (fresh.length > 0) setActivity((known) => [...fresh, ...known].slice(0, KEPT));
      const keys = missed ? ALL : outdatedBy(fresh.map((event) => event.type));
      missed = false;
      for (const key of keys) void queries.invalidateQueries({ queryKey: [key] });
    };
    const onStatus = (next: LiveStatus): void => {
      setStatus(next);
      // What happened while nobody listened arrives by its id; ended lists may still be older than that.
      missed ||= next === "live";
      if (next === "live") timer ??= setTimeout(refresh, 0);
    };
    const onEvent: Parameters<typeof followEvents>[0]["onEvent"] = (event, id) => {
      conversations.heard(event);
      heard += 1;
      gathered.push({ ...event, key: `${heard}/${id}` });
      timer ??= setTimeout(refresh, pause);
    };
    void followEvents({ onEvent, onStatus }, stop.signal);
    return () => {
      stop.abort();
      clearTimeout(timer);
    };
  }, [queries, conversations]);

  return <LiveContext value={{ status, activity }}>{children}</LiveContext>;
}
