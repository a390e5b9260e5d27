import { createContext, useContext } from "react";

import type { LiveStatus } from "../api/live";
import type { ServerEvent } from "../api/types";

/** Events that a tab remembers; older ones are in the server's log. */
export const KEPT = 2000;

export interface Activity extends ServerEvent {
  key: string;
}

export interface Live {
  status: LiveStatus;
  /** The newest first, as far as this tab has seen them. */
  activity: readonly Activity[];
}

export const LiveContext = createContext<Live>({ status: "connecting", activity: [] });

export function useLive(): Live {
  return useContext(LiveContext);
}
