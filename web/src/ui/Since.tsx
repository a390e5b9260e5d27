import { useEffect, useState } from "react";

import { since } from "./format";

const TICK_MS = 15_000;

/** How long ago that was, kept current. */
export function Since({ timestamp }: { timestamp: string }) {
  const [now, setNow] = useState(() => Date.now());
  useEffect(() => {
    const timer = setInterval(() => setNow(Date.now()), TICK_MS);
    return () => clearInterval(timer);
  }, []);
  return since(timestamp, now);
}
