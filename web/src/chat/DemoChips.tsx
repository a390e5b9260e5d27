import { Button } from "@mantine/core";
import { lazy, Suspense } from "react";

import type { Agent } from "../api/types";
import classes from "./DemoChips.module.css";

const DrillChip = lazy(() => import("./DrillChip"));

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
      <Suspense fallback={null}>
        <DrillChip onSay={onSay} />
      </Suspense>
    </div>
  );
}
