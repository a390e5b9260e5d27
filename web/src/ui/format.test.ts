import { expect, test } from "vitest";

import { count, duration, plural, since, upSince, usd } from "./format";

test("durations change their unit with their size", () => {
  expect([7.4, 840, 1250, 61_000, 3_700_000].map(duration)).toEqual([
    "7 ms",
    "840 ms",
    "1.3 s",
    "1 min 1 s",
    "1 h 1 min",
  ]);
});

test("small sums keep the digits that tell them apart", () => {
  expect([0, 0.0004, 0.02, 12.345].map(usd)).toEqual(["$0.00", "$0.0004", "$0.02", "$12.35"]);
});

test("large counts are rounded", () => {
  expect([0, 9999, 27_314, 4_200_000].map(count)).toEqual(["0", "9,999", "27.3K", "4.2M"]);
});

test("one is not many", () => {
  expect([plural(1, "tool"), plural(2, "process", "processes")]).toEqual(["1 tool", "2 processes"]);
});

test("how long ago is told in one unit", () => {
  const now = Date.parse("2026-11-22T10:00:00Z");
  const at = [
    "2026-11-22T09:59:55Z",
    "2026-11-22T09:59:20Z",
    "2026-11-22T09:30:00Z",
    "2026-11-20T10:00:00Z",
    "x",
  ];
  expect(at.map((timestamp) => since(timestamp, now))).toEqual([
    "just now",
    "40 s ago",
    "30 min ago",
    "2 d ago",
    "",
  ]);
});

test("an uptime is told as the time of the start, or its day", () => {
  const at = new Date(2026, 10, 22, 10, 30, 5).getTime();
  expect(["5s", "30m5s", "1h2m5s", "49h0m0s", "soon"].map((uptime) => upSince(uptime, at))).toEqual([
    "10:30",
    "10:00",
    "09:28",
    "20 Nov",
    "soon",
  ]);
});
