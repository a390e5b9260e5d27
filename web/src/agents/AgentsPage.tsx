import { Button } from "@mantine/core";
import { useQuery } from "@tanstack/react-query";
import { IconPlus } from "@tabler/icons-react";
import { useState } from "react";
import { Link, Route, Switch } from "wouter";

import { agentsQuery } from "../api/queries";
import type { Agent } from "../api/types";
import { inOrder } from "../chat/useSelectedAgent";
import { plural } from "../ui/format";
import { Page } from "../ui/Page";
import { Remote } from "../ui/Remote";
import { Card, Nothing } from "../ui/Section";
import { StatusDot } from "../ui/StatusDot";
import { AgentComposer } from "./AgentComposer";
import { AgentPage } from "./AgentPage";
import classes from "./AgentsPage.module.css";

export default function AgentsPage() {
  return (
    <Switch>
      <Route path="/agents/:name">
        {({ name }) => <AgentPage key={name} name={decodeURIComponent(name)} />}
      </Route>
      <Route component={Registry} />
    </Switch>
  );
}

/** Who is defined, by whom, and with what. */
function Registry() {
  const agents = useQuery(agentsQuery);
  const [composing, setComposing] = useState(false);
  return (
    <Page
      title="Agents"
      aside={
        <Button size="compact-md" leftSection={<IconPlus size={15} />} onClick={() => setComposing(true)}>
          New agent
        </Button>
      }
    >
      <Remote query={agents} height={240}>
        {(all) =>
          all.length === 0 ? (
            <Nothing>No agents are defined.</Nothing>
          ) : (
            <ul className={classes.list}>
              {inOrder(all).map((agent) => (
                <li key={agent.name}>
                  <AgentCard agent={agent} />
                </li>
              ))}
            </ul>
          )
        }
      </Remote>
      {composing ? <AgentComposer onClose={() => setComposing(false)} /> : null}
    </Page>
  );
}

function AgentCard({ agent }: { agent: Agent }) {
  const facts = [
    agent.model ?? "",
    agent.tools ? plural(agent.tools.length, "tool") : "",
    agent.team ? `leads ${agent.team.join(", ")}` : "",
    agent.source ?? "",
  ];
  return (
    <Card padded>
      <div className={classes.agent}>
        <h2>
          {agent.process_status ? <StatusDot status={agent.process_status} /> : null}
          <Link href={`/agents/${encodeURIComponent(agent.name)}`}>{agent.display_name ?? agent.name}</Link>
        </h2>
        <p className={classes.facts}>{facts.filter((fact) => fact !== "").join(" · ")}</p>
        <p className={classes.about}>{agent.description ?? agent.system ?? ""}</p>
      </div>
    </Card>
  );
}
