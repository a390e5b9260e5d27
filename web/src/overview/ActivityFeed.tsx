import { useQuery } from "@tanstack/react-query";

import { recentEventsQuery } from "../api/lists";
import { type Activity, useLive } from "../app/useLive";
import { clockTime } from "../ui/format";
import classes from "./ActivityFeed.module.css";
import { describe, tone } from "../events/describe";
import { before } from "../events/recent";
import page from "./OverviewPage.module.css";

const SHOWN = 30;

/** The newest events, as they happen; those before this page was opened are from the log. */
export function ActivityFeed() {
  const { activity } = useLive();
  const recent = useQuery(recentEventsQuery);
  const events = [...activity.slice(0, SHOWN), ...before(activity, recent.data ?? [])].slice(0, SHOWN);
  if (events.length === 0) {
    return <div className={`${page.card ?? ""} ${page.nothing ?? ""}`}>Nothing has happened yet.</div>;
  }
  return (
    <ol className={`${page.card ?? ""} ${classes.feed ?? ""}`}>
      {events.map((event) => (
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
