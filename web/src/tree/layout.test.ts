import { expect, it } from "vitest";

import { NODE_HEIGHT, place } from "./layout";
import type { TreeNode } from "./nodes";

function node(key: string, children: TreeNode[] = []): TreeNode {
  return {
    key,
    label: key,
    kind: "process",
    status: "running",
    note: "",
    processId: key,
    gauge: null,
    children,
  };
}

it("places children to the right of their parent and below one another", () => {
  const { placed, edges } = place([node("a", [node("b"), node("c")])]);
  const at = new Map(placed.map((each) => [each.node.key, each]));
  const [a, b, c] = ["a", "b", "c"].map((key) => at.get(key));
  expect(b?.x).toBeGreaterThan(a?.x ?? Infinity);
  expect(b?.x).toBe(c?.x);
  expect(b?.y).not.toBe(c?.y);
  expect(edges).toEqual([
    { from: "a", to: "b" },
    { from: "a", to: "c" },
  ]);
});

it("gives each leaf a line of its own, and puts a parent in the middle of its children", () => {
  const { placed } = place([node("a", [node("b", [node("c"), node("d")]), node("e")]), node("f")]);
  const y = new Map(placed.map((each) => [each.node.key, each.y]));
  const leaves = ["c", "d", "e", "f"].map((key) => y.get(key) ?? NaN);
  leaves
    .slice(1)
    .forEach((line, index) => expect(line - (leaves[index] ?? NaN)).toBeGreaterThan(NODE_HEIGHT));
  expect(y.get("b")).toBe(((y.get("c") ?? 0) + (y.get("d") ?? 0)) / 2);
});
