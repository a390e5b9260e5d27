import { Skeleton } from "@mantine/core";
import { useQuery } from "@tanstack/react-query";
import { Link, useLocation } from "wouter";

import { agentsQuery } from "../api/queries";
import type { Agent } from "../api/types";
import { Problem } from "../ui/Problem";
import { Spoken } from "../ui/Spoken";
import { StatusDot } from "../ui/StatusDot";
import classes from "./AgentList.module.css";
import { chatAddress, inOrder, useSelectedAgent } from "./useSelectedAgent";

/** The agents to talk to, each with its model and whether its process runs. */
export function AgentList({ onChoose }: { onChoose: () => void }) {
  const agents = useQuery(agentsQuery);
  const selected = useSelectedAgent();
  const [location] = useLocation();
  return (
    <nav className={classes.agents} aria-label="Agents">
      <h2 className={classes.heading}>Agents</h2>
      {agents.isPending ? <Skeleton height={44} radius="md" /> : null}
      {agents.error ? (
        <Problem
          message={agents.error.message}
          action={{ label: "Try again", run: () => void agents.refetch() }}
        />
      ) : null}
      {agents.data?.length === 0 ? <p className={classes.none}>No agents are defined.</p> : null}
      <ul className={classes.list}>
        {inOrder(agents.data ?? []).map((agent) => (
          <AgentItem
            key={agent.name}
            agent={agent}
            current={location === "/" && agent.name === selected}
            onChoose={onChoose}
          />
        ))}
      </ul>
    </nav>
  );
}

interface AgentItemProps {
  agent: Agent;
  current: boolean;
  onChoose: () => void;
}

function AgentItem({ agent, current, onChoose }: AgentItemProps) {
  return (
    <li>
      <Link
        href={chatAddress(agent.name)}
        className={classes.agent ?? ""}
        aria-current={current ? "true" : undefined}
        onClick={onChoose}
      >
        <span className={classes.text}>
          <span className={classes.name}>{agent.display_name ?? agent.name}</span>
          {agent.model ? <span className={classes.model}>{agent.model}</span> : null}
        </span>
        {agent.process_status ? (
          <>
            <StatusDot status={agent.process_status} />
            <Spoken>{agent.process_status}</Spoken>
          </>
        ) : null}
      </Link>
    </li>
  );
}
