import { IconSparkles } from "@tabler/icons-react";

import type { Agent } from "../api/types";
import { EmptyState } from "../ui/EmptyState";
import { DemoChips } from "./DemoChips";
import classes from "./Welcome.module.css";

interface WelcomeProps {
  name: string;
  agent: Agent | undefined;
  onSay: (text: string) => void;
}

/** A conversation without messages: who this is, and what to try. */
export function Welcome({ name, agent, onSay }: WelcomeProps) {
  return (
    <EmptyState icon={<IconSparkles size={22} />} title={`Talk to ${agent?.display_name ?? name}`}>
      <p className={classes.about}>
        {agent?.description ??
          "It runs as a supervised process: when it fails, its supervisor starts it again and it goes on."}
      </p>
      {agent?.tools?.length ? (
        <p className={classes.tools}>
          {agent.tools.map((tool) => (
            <code key={tool}>{tool}</code>
          ))}
        </p>
      ) : null}
      <DemoChips agent={agent} onSay={onSay} />
    </EmptyState>
  );
}
