import "@xyflow/react/dist/base.css";

import { useQuery } from "@tanstack/react-query";
import {
  Background,
  type Edge,
  Handle,
  type Node,
  type NodeProps,
  Position,
  ReactFlow,
  type ReactFlowInstance,
} from "@xyflow/react";
import { useMemo, useState } from "react";
import { Link } from "wouter";

import { processQuery } from "../api/queries";
import { processAddress } from "../processes/process";
import { Gauge } from "../ui/Gauge";
import { StatusDot } from "../ui/StatusDot";
import { NODE_HEIGHT, NODE_WIDTH, place } from "./layout";
import { DRAWN_LEVELS, DRAWN_SIBLINGS, drawable, gaugeText, MORE, type TreeNode } from "./nodes";
import classes from "./TreeGraph.module.css";

type Drawn = Node<{ node: TreeNode }, "tree">;

const LEAST_ZOOM = 0.8;
const MARGIN = 0.05;
const MARGIN_PX = 16;
const NODE_TYPES = { tree: DrawnNode };

/** A tree as a drawing. Choosing a process also draws its links and monitors. */
export default function TreeGraph({ label, nodes }: { label: string; nodes: readonly TreeNode[] }) {
  const { placed, edges } = useMemo(() => place(drawable(nodes)), [nodes]);
  const [chosen, setChosen] = useState<string | null>(null);
  const ties = useTies(
    chosen,
    placed.map((each) => each.node),
  );
  const drawn: Drawn[] = placed.map(({ node, x, y }) => ({
    id: node.key,
    type: "tree",
    position: { x, y },
    width: NODE_WIDTH,
    height: NODE_HEIGHT,
    data: { node },
    ariaLabel: `${node.label}, ${node.status}`,
  }));
  const lines: Edge[] = edges.map(({ from, to }) => ({ id: `${from} ${to}`, source: from, target: to }));
  return (
    <div className={classes.graph} role="group" aria-label={label}>
      <div className={classes.canvas}>
        <ReactFlow
          nodes={drawn}
          edges={[...lines, ...ties]}
          nodeTypes={NODE_TYPES}
          onNodeClick={(_, { data }) => setChosen(data.node.processId)}
          onPaneClick={() => setChosen(null)}
          nodesDraggable={false}
          nodesConnectable={false}
          edgesFocusable={false}
          proOptions={{ hideAttribution: true }}
          minZoom={0.1}
          onInit={(flow) => void show(flow)}
          onlyRenderVisibleElements
        >
          <Background gap={24} />
        </ReactFlow>
      </div>
      <p className={classes.legend}>
        <span data-tie="link">link</span>
        <span data-tie="monitor">monitor</span>
        <span>Choose a process to see its own.</span>
        {drawn.some((each) => each.id.endsWith(MORE)) ? (
          <span>
            Of a crowd only the first {DRAWN_SIBLINGS} are drawn, of a tree the first {DRAWN_LEVELS} levels.
          </span>
        ) : null}
      </p>
    </div>
  );
}

/** All of it, as far as it stays readable; what is larger than that begins at its first process. */
async function show(flow: ReactFlowInstance<Drawn>): Promise<void> {
  await flow.fitView({ minZoom: LEAST_ZOOM, maxZoom: 1, padding: MARGIN });
  const { x, y, zoom } = flow.getViewport();
  await flow.setViewport({ x: Math.max(x, MARGIN_PX), y: Math.max(y, MARGIN_PX), zoom });
}

/** The links and monitors of a process that lead to others in this tree. */
function useTies(processId: string | null, nodes: readonly TreeNode[]): Edge[] {
  const { data } = useQuery({ ...processQuery(processId ?? ""), enabled: processId !== null });
  if (processId === null || !data) return [];
  const keyOf = new Map(nodes.map((node) => [node.processId, node.key]));
  const own = keyOf.get(processId);
  const tie = (kind: "link" | "monitor", ids: readonly string[]): Edge[] =>
    ids.flatMap((id) => {
      const other = keyOf.get(id);
      if (own === undefined || other === undefined) return [];
      return [{ id: `${kind} ${own} ${other}`, source: own, target: other, className: classes[kind] ?? "" }];
    });
  return [...tie("link", data.links), ...tie("monitor", data.monitors)];
}

function DrawnNode({ data: { node } }: NodeProps<Drawn>) {
  return (
    <div className={classes.node} data-kind={node.kind}>
      <Handle type="target" position={Position.Left} isConnectable={false} />
      <span className={classes.label}>
        <StatusDot status={node.status} />
        {node.processId === null ? (
          node.label
        ) : (
          <Link href={processAddress(node.processId)}>{node.label}</Link>
        )}
      </span>
      {node.gauge === null ? (
        <span className={classes.note}>{node.note}</span>
      ) : (
        <Gauge
          label={`Restarts used by ${node.label}`}
          used={node.gauge.restarts_used}
          most={node.gauge.max_restarts}
          text={gaugeText(node.gauge)}
        />
      )}
      <Handle type="source" position={Position.Right} isConnectable={false} />
    </div>
  );
}
