import { useQuery } from "@tanstack/react-query";
import { lazy, Suspense, useMemo, useState } from "react";

import { processesQuery, spawnTreeQuery, supervisorsQuery } from "../api/lists";
import { Choice } from "../ui/Choice";
import { Page } from "../ui/Page";
import { Remote } from "../ui/Remote";
import { Nothing } from "../ui/Section";
import { fromSpawns, fromSupervisors, type TreeNode } from "./nodes";
import { TreeGrid } from "./TreeGrid";
import classes from "./TreePage.module.css";

const PastTree = lazy(() => import("./PastTree"));
const TreeGraph = lazy(() => import("./TreeGraph"));

const TREES = [
  { value: "spawn", label: "Spawned" },
  { value: "supervision", label: "Supervised" },
  { value: "past", label: "Back then" },
] as const;
const FORMS = [
  { value: "list", label: "List" },
  { value: "graph", label: "Graph" },
] as const;

/** Who spawned whom, who restarts whom, and how it was at an event. */
export default function TreePage() {
  const [tree, setTree] = useState<(typeof TREES)[number]["value"]>("spawn");
  const [form, setForm] = useState<"list" | "graph">("list");
  return (
    <Page
      title="Tree"
      filled
      aside={
        <div className={classes.choices}>
          <Choice label="Which tree" options={TREES} value={tree} onChange={setTree} />
          <Choice label="How it is drawn" options={FORMS} value={form} onChange={setForm} />
        </div>
      }
    >
      {tree === "spawn" ? <Spawned form={form} /> : null}
      {tree === "supervision" ? <Supervised form={form} /> : null}
      {tree === "past" ? (
        <Suspense fallback={null}>
          <PastTree>{(nodes) => <Shown label="Spawn tree back then" nodes={nodes} form={form} />}</PastTree>
        </Suspense>
      ) : null}
    </Page>
  );
}

function Spawned({ form }: { form: "list" | "graph" }) {
  const spawns = useQuery(spawnTreeQuery);
  const { data: processes } = useQuery(processesQuery);
  const { data: supervisors } = useQuery(supervisorsQuery);
  const nodes = useMemo(
    () => fromSpawns(spawns.data ?? [], processes ?? [], supervisors ?? []),
    [spawns.data, processes, supervisors],
  );
  return (
    <Remote query={spawns} height={320}>
      {() => <Shown label="Spawn tree" nodes={nodes} form={form} />}
    </Remote>
  );
}

function Supervised({ form }: { form: "list" | "graph" }) {
  const supervisors = useQuery(supervisorsQuery);
  const { data: processes } = useQuery(processesQuery);
  const nodes = useMemo(
    () => fromSupervisors(supervisors.data ?? [], processes ?? []),
    [supervisors.data, processes],
  );
  return (
    <Remote query={supervisors} height={320}>
      {() => <Shown label="Supervision tree" nodes={nodes} form={form} />}
    </Remote>
  );
}

interface ShownProps {
  label: string;
  nodes: TreeNode[];
  form: "list" | "graph";
}

function Shown({ label, nodes, form }: ShownProps) {
  if (nodes.length === 0) {
    return <Nothing>No process runs. The first message to an agent starts one.</Nothing>;
  }
  if (form === "list") return <TreeGrid label={label} nodes={nodes} />;
  return (
    <Suspense fallback={null}>
      <TreeGraph label={label} nodes={nodes} />
    </Suspense>
  );
}
