import { Link } from "wouter";

import { Page } from "../ui/Page";
import { Section } from "../ui/Section";
import { ActivityFeed } from "./ActivityFeed";
import { Attention } from "./Attention";
import { ProcessTable } from "./ProcessTable";
import { StatTiles } from "./StatTiles";

export default function OverviewPage() {
  return (
    <Page title="Overview">
      <StatTiles />
      <Section title="Needs attention">
        <Attention />
      </Section>
      <Section title="Active processes" aside={<Link href="/processes">All processes</Link>}>
        <ProcessTable />
      </Section>
      <Section title="Recent events" aside={<Link href="/events">All events</Link>}>
        <ActivityFeed />
      </Section>
    </Page>
  );
}
