import { Page } from "../ui/Page";
import { ActivityFeed } from "./ActivityFeed";
import classes from "./OverviewPage.module.css";
import { ProcessTable } from "./ProcessTable";
import { StatTiles } from "./StatTiles";

export default function OverviewPage() {
  return (
    <Page title="Overview">
      <StatTiles />
      <section className={classes.section} aria-labelledby="processes">
        <h2 id="processes">Processes</h2>
        <ProcessTable />
      </section>
      <section className={classes.section} aria-labelledby="activity">
        <h2 id="activity">Recent events</h2>
        <ActivityFeed />
      </section>
    </Page>
  );
}
