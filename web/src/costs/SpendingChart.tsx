import "uplot/dist/uPlot.min.css";

import { useComputedColorScheme } from "@mantine/core";
import { useEffect, useRef } from "react";
import uPlot from "uplot";

import type { Costs } from "../api/types";
import { plural, usd } from "../ui/format";
import classes from "./SpendingChart.module.css";

const DAY = new Intl.DateTimeFormat("en-GB", { day: "numeric", month: "short", timeZone: "UTC" });
const HEIGHT = 200;
const DAY_S = 86_400;
const LEAST_DAYS = 14;

/** What each day has cost, as bars over time. */
export default function SpendingChart({ rows }: { rows: Costs["rows"] }) {
  const place = useRef<HTMLDivElement>(null);
  const scheme = useComputedColorScheme();
  useEffect(() => {
    const element = place.current;
    if (!element) return undefined;
    const chart = new uPlot(optionsFor(element), seriesOf(rows), element);
    const resized = new ResizeObserver(() => chart.setSize({ width: element.clientWidth, height: HEIGHT }));
    resized.observe(element);
    return () => {
      resized.disconnect();
      chart.destroy();
    };
  }, [rows, scheme]);
  const total = rows.reduce((sum, row) => sum + row.cost_usd, 0);
  return (
    <div
      ref={place}
      className={classes.chart}
      role="img"
      aria-label={`Spent by day: ${usd(total)} on ${plural(rows.length, "day")}; the table below has each when it is by day.`}
    />
  );
}

/** Every day from the first that cost something, two weeks at least, up to the last. */
function seriesOf(rows: Costs["rows"]): uPlot.AlignedData {
  const spent = new Map(rows.map((row) => [Date.parse(`${row.key}T00:00:00Z`) / 1000, row.cost_usd]));
  const days = [...spent.keys()].filter((at) => !Number.isNaN(at));
  const last = Math.max(...days);
  const first = Math.min(...days, last - (LEAST_DAYS - 1) * DAY_S);
  const all = Array.from({ length: Math.round((last - first) / DAY_S) + 1 }, (_, day) => first + day * DAY_S);
  return [all, all.map((at) => spent.get(at) ?? 0)];
}

/** The colours are the page's: a canvas does not follow its styles by itself. */
function optionsFor(element: HTMLElement): uPlot.Options {
  const style = getComputedStyle(element);
  const [line, muted, bar] = ["--vega-line", "--vega-muted", "--vega-accent-text"].map((name) =>
    style.getPropertyValue(name).trim(),
  );
  const bars = uPlot.paths.bars?.({ size: [0.6, 56], radius: 0.15 });
  const font = `12px ${style.fontFamily}`;
  const axis = { stroke: muted ?? "", grid: { stroke: line ?? "", width: 1 }, ticks: { show: false }, font };
  return {
    width: element.clientWidth,
    height: HEIGHT,
    tzDate: (seconds) => uPlot.tzDate(new Date(seconds * 1000), "UTC"),
    scales: { x: { time: true, range: around }, y: { range: (_, __, most) => [0, (most || 1) * 1.15] } },
    axes: [
      {
        ...axis,
        size: 30,
        grid: { show: false },
        incrs: [DAY_S, 7 * DAY_S, 30 * DAY_S],
        values: (_, at) => at.map(dayOf),
        space: 56,
      },
      { ...axis, size: 64, values: (_, at) => at.map(usd) },
    ],
    series: [
      { value: "{YYYY}-{MM}-{DD}" },
      {
        label: "Cost",
        fill: bar ?? "",
        width: 0,
        points: { show: false },
        ...(bars ? { paths: bars } : {}),
        value: (_, cost: number | null) => (cost === null ? "" : usd(cost)),
      },
    ],
    legend: { show: false },
    cursor: { drag: { x: false, y: false } },
  };
}

function dayOf(at: number): string {
  return DAY.format(new Date(at * 1000));
}

/** Half a day more on either side, for the first and the last bar. */
function around(_: uPlot, least: number, most: number): [number, number] {
  return [least - DAY_S / 2, most + DAY_S / 2];
}
