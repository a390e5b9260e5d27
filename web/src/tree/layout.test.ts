import { expect, it } from "vitest";

import { place } from "./layout";
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
