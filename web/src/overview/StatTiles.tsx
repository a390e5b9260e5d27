import { Skeleton } from "@mantine/core";
import { useQuery } from "@tanstack/react-query";

import { statsQuery } from "../api/lists";
import type { Stats } from "../api/types";
import { count, plural, upSince, usd } from "../ui/format";
import { Problem } from "../ui/Problem";
import classes from "./StatTiles.module.css";

interface Tile {
  label: string;
  value: string;
  note: string;
  bad?: boolean;
}

/** The totals since the database began, and how long this server has been up. */
export function StatTiles() {
  const stats = useQuery(statsQuery);
  if (stats.error) {
    const retry = { label: "Try again", run: () => void stats.refetch() };
    return <Problem message={stats.error.message} action={retry} />;
  }
  if (!stats.data) return <Skeleton height={92} radius="lg" />;
  return (
    <dl className={classes.tiles}>
      {tiles(stats.data, stats.dataUpdatedAt).map((tile) => (
        <div key={tile.label} className={classes.tile}>
          <dt>{tile.label}</dt>
          <dd className={classes.value} data-bad={tile.bad}>
            {tile.value}
          </dd>
          <dd className={classes.note}>{tile.note}</dd>
        </div>
      ))}
    </dl>
  );
}

function tiles(stats: Stats, at: number): Tile[] {
  return [
    {
      label: "Running",
      value: count(stats.running_processes),
      note: `of ${plural(stats.total_processes, "process", "processes")}`,
    },
    {
      label: "Failed",
      value: count(stats.failed_processes),
      note: `${count(stats.completed_processes)} completed`,
      bad: stats.failed_processes > 0,
    },
    {
      label: "Tokens",
      value: count(stats.total_input_tokens + stats.total_output_tokens),
      note: `${count(stats.total_input_tokens)} in, ${count(stats.total_output_tokens)} out`,
    },
    { label: "Cost", value: usd(stats.total_cost_usd), note: plural(stats.total_tool_calls, "tool call") },
    { label: "Up since", value: upSince(stats.uptime, at), note: plural(stats.total_errors, "error") },
  ];
}
