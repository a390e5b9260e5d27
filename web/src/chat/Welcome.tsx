import { Button } from "@mantine/core";
import { IconSparkles } from "@tabler/icons-react";

import type { Agent } from "../api/types";
import { EmptyState } from "../ui/EmptyState";
import classes from "./Welcome.module.css";

/** What the demo model knows how to play. */
const DEMO = [
  { label: "Show tools", text: "Search for the newest Trio release" },
  { label: "Crash and recover", text: "Crash in the middle of your answer" },
  { label: "Run review", text: "Review this: def add(a, b): return a - b" },
];

interface WelcomeProps {
  name: string;
  agent: Agent | undefined;
  onSay: (text: string) => void;
}

/** A conversation without messages: who this is, and what to try. */
export function Welcome({ name, agent, onSay }: WelcomeProps) {
  const isDemo = /^demo(:|$)/.test(agent?.model ?? "");
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
      {isDemo ? (
        <div className={classes.chips}>
          {DEMO.map(({ label, text }) => (
            <Button key={label} variant="default" radius="xl" size="sm" onClick={() => onSay(text)}>
              {label}
            </Button>
          ))}
        </div>
      ) : null}
    </EmptyState>
  );
}
