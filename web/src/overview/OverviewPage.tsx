import { useEffect } from "react";

import { ActivityFeed } from "./ActivityFeed";
import classes from "./OverviewPage.module.css";
import { ProcessTable } from "./ProcessTable";
import { StatTiles } from "./StatTiles";

export default function OverviewPage() {
  useEffect(() => {
    document.title = "Overview · Vega";
  }, []);
  return (
    <div className={classes.page}>
      <h1 className={classes.title}>Overview</h1>
      <StatTiles />
      <section className={classes.section} aria-labelledby="processes">
        <h2 id="processes">Processes</h2>
        <ProcessTable />
      </section>
      <section className={classes.section} aria-labelledby="activity">
        <h2 id="activity">Recent events</h2>
        <ActivityFeed />
      </section>
    </div>
  );
}
