import classes from "./LiveIndicator.module.css";
import { useLive } from "./useLive";

const WORDS = { connecting: "Connecting", live: "Live", reconnecting: "Reconnecting" } as const;

/** Whether this page still hears from the server. */
export function LiveIndicator() {
  const { status } = useLive();
  return (
    <span className={classes.live} role="status" data-status={status}>
      <span className={classes.dot} aria-hidden="true" />
      {WORDS[status]}
    </span>
  );
}
