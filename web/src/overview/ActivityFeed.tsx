import { type Activity, useLive } from "../app/useLive";
import { clockTime } from "../ui/format";
import classes from "./ActivityFeed.module.css";
import { describe, tone } from "../events/describe";
import page from "./OverviewPage.module.css";

const SHOWN = 30;

/** The newest events since this page was opened. */
export function ActivityFeed() {
  const { activity } = useLive();
  if (activity.length === 0) {
    return (
      <div className={`${page.card ?? ""} ${page.nothing ?? ""}`}>
        Nothing has happened since this page was opened.
      </div>
    );
  }
  return (
    <ol className={`${page.card ?? ""} ${classes.feed ?? ""}`}>
      {activity.slice(0, SHOWN).map((event) => (
        <Item key={event.key} event={event} />
      ))}
    </ol>
  );
}

function Item({ event }: { event: Activity }) {
  return (
    <li className={classes.item} data-tone={tone(event.type)}>
      <time className={classes.time} dateTime={event.timestamp}>
        {clockTime(event.timestamp ?? "")}
      </time>
      <span className={classes.type}>{event.type}</span>
      <span className={classes.agent}>{event.agent ?? ""}</span>
      <span className={classes.detail}>{describe(event)}</span>
    </li>
  );
}
