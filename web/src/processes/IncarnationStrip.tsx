import type { Incarnation, ProcessDetail } from "../api/types";
import { clockTime, duration, fullTime } from "../ui/format";
import classes from "./IncarnationStrip.module.css";
import { isAlive } from "./process";

/** The lives of a process side by side: each ended for a reason, and its supervisor began the next. */
export function IncarnationStrip({ process }: { process: ProcessDetail }) {
  return (
    <ol className={classes.strip} aria-label="Lives of this process">
      {lives(process).map((life, index, all) => {
        const living = index === all.length - 1 && isAlive(process.status);
        return (
          <li key={life.incarnation} className={classes.life} data-end={endOf(life, living)}>
            <span className={classes.number}>#{life.incarnation}</span>
            <span className={classes.reason}>{living ? "alive" : (life.exit_reason ?? "ended")}</span>
            <span className={classes.time} title={life.started_at ? fullTime(life.started_at) : undefined}>
              {lasted(life)}
            </span>
          </li>
        );
      })}
    </ol>
  );
}

/** As the server tells them; a process of which it only knows the last life still shows that one. */
function lives(process: ProcessDetail): readonly Incarnation[] {
  if (process.incarnations.length > 0) return process.incarnations;
  const only: Incarnation = { incarnation: process.incarnation, started_at: process.started_at };
  if (process.completed_at) only.ended_at = process.completed_at;
  if (process.exit_reason) only.exit_reason = process.exit_reason;
  return [only];
}

/** An end that was wanted is no fault. */
function endOf(life: Incarnation, living: boolean): "none" | "wanted" | "fault" {
  if (living) return "none";
  return /^(normal|shutdown)/.test(life.exit_reason ?? "normal") ? "wanted" : "fault";
}

function lasted(life: Incarnation): string {
  if (!life.started_at) return "";
  if (!life.ended_at) return `since ${clockTime(life.started_at)}`;
  return duration(new Date(life.ended_at).getTime() - new Date(life.started_at).getTime());
}
