import classes from "./StatusDot.module.css";

const TONES: Record<string, string> = {
  pending: "waiting",
  running: "live",
  completed: "good",
  failed: "bad",
  timeout: "bad",
};

/** A process's status: a dot for the eye and the word for everybody. */
export function Status({ status }: { status: string }) {
  return (
    <span className={classes.status}>
      <StatusDot status={status} />
      {status}
    </span>
  );
}

export function StatusDot({ status }: { status: string }) {
  return <span className={classes.dot} data-tone={TONES[status] ?? "idle"} aria-hidden="true" />;
}
