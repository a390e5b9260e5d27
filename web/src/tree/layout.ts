import { Graph, layout } from "@dagrejs/dagre";

import type { TreeNode } from "./nodes";

export const NODE_WIDTH = 196;
export const NODE_HEIGHT = 56;

export interface Placed {
  node: TreeNode;
  x: number;
  y: number;
}

export interface Edge {
  from: string;
  to: string;
}

/** Places a tree from left to right: two hundred leaves under one another can still be read, side by side not. */
export function place(nodes: readonly TreeNode[]): { placed: Placed[]; edges: Edge[] } {
  const graph = new Graph();
  graph.setGraph({ rankdir: "LR", nodesep: 14, ranksep: 56 });
  graph.setDefaultEdgeLabel(() => ({}));
  const flat: TreeNode[] = [];
  const edges: Edge[] = [];
  const add = (node: TreeNode, parent: TreeNode | null): void => {
    flat.push(node);
    graph.setNode(node.key, { width: NODE_WIDTH, height: NODE_HEIGHT });
    if (parent) {
      graph.setEdge(parent.key, node.key);
      edges.push({ from: parent.key, to: node.key });
    }
    for (const child of node.children) add(child, node);
  };
  for (const node of nodes) add(node, null);
  layout(graph);
  const placed = flat.map((node) => {
    const { x, y } = graph.node(node.key) as { x: number; y: number };
    return { node, x: x - NODE_WIDTH / 2, y: y - NODE_HEIGHT / 2 };
  });
  return { placed, edges };
}
