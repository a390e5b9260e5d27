import { Button } from "@mantine/core";

import { lazy, Suspense, useState } from "react";

import type { Agent } from "../api/types";
import classes from "./DemoChips.module.css";

const DrillDialog = lazy(() => import("./DrillDialog"));

/** What the demo model knows how to play. */
const TOUR: readonly { label: string; text: string; tool?: string }[] = [
  { label: "Show tools", text: "Search for the newest Trio release", tool: "web_search" },
  { label: "Crash and recover", text: "Crash in the middle of your answer" },
  { label: "Run review", text: "Review this: def add(a, b): return a + b" },
];

interface DemoChipsProps {
  agent: Agent | undefined;
  onSay: (text: string) => void;
}

/** The stations of the tour, for an agent that the demo model plays. */
export function DemoChips({ agent, onSay }: DemoChipsProps) {
  const [drilling, setDrilling] = useState(false);
  if (!/^demo(:|$)/.test(agent?.model ?? "")) return null;
  return (
    <div className={classes.chips}>
      {TOUR.filter(({ tool }) => tool === undefined || agent?.tools?.includes(tool)).map(
        ({ label, text }) => (
          <Button key={label} variant="default" radius="xl" size="sm" onClick={() => onSay(text)}>
            {label}
          </Button>
        ),
      )}
      <Button variant="default" radius="xl" size="sm" onClick={() => setDrilling(true)}>
        Fault drill
      </Button>
      {drilling ? (
        <Suspense fallback={null}>
          <DrillDialog onSay={onSay} onClose={() => setDrilling(false)} />
        </Suspense>
      ) : null}
    </div>
  );
}
