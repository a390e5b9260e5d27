import type { TreeNode } from "./nodes";

export const NODE_WIDTH = 196;
export const NODE_HEIGHT = 56;
const STEP_X = NODE_WIDTH + 56;
const STEP_Y = NODE_HEIGHT + 14;

export interface Placed {
  node: TreeNode;
  x: number;
  y: number;
}

export interface Edge {
  from: string;
  to: string;
}

/**
 * Places a tree from left to right: two hundred leaves under one another can still be read, side by side not.
 *
 * Each leaf has a line of its own, in the order of the tree, and a parent stands halfway between its first and its
 * last child: no two nodes overlap and no two edges cross.
 */
export function place(nodes: readonly TreeNode[]): { placed: Placed[]; edges: Edge[] } {
  const placed: Placed[] = [];
  const edges: Edge[] = [];
  let lines = 0;
  const add = (node: TreeNode, level: number): number => {
    const own: Placed = { node, x: level * STEP_X, y: 0 };
    placed.push(own);
    const heights = node.children.map((child) => {
      edges.push({ from: node.key, to: child.key });
      return add(child, level + 1);
    });
    const [first, last] = [heights[0], heights.at(-1)];
    own.y = first === undefined || last === undefined ? STEP_Y * lines++ : (first + last) / 2;
    return own.y;
  };
  for (const node of nodes) add(node, 0);
  return { placed, edges };
}
