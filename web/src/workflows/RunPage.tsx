import { Button } from "@mantine/core";
import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { IconPlayerStop, IconRefresh } from "@tabler/icons-react";
import { Link, useLocation } from "wouter";

import { calls, perform } from "../api/calls";
import { manage } from "../api/manage";
import { runQuery, workflowQuery } from "../api/lists";
import type { Run } from "../api/types";
import { Markdown } from "../chat/markdown/Markdown";
import { AsCommand } from "../ui/AsCommand";
import { Code } from "../ui/Code";
import { Facts } from "../ui/Facts";
import { duration, fullTime, usd } from "../ui/format";
import { Page } from "../ui/Page";
import { Problem } from "../ui/Problem";
import { Remote } from "../ui/Remote";
import { Card, Section } from "../ui/Section";
import { Status } from "../ui/StatusDot";
import { runAddress } from "./address";
import classes from "./RunPage.module.css";
import { StepList } from "./StepList";

/** One run, step by step while it goes on, and its result. */
export function RunPage({ workflow, id }: { workflow: string; id: string }) {
  const run = useQuery(runQuery(id));
  const definition = useQuery(workflowQuery(workflow));
  return (
    <Page title={`Run of ${workflow}`} aside={run.data ? <Act workflow={workflow} run={run.data} /> : null}>
      <Remote query={run} height={200}>
        {(known) => (
          <>
            <Card padded>
              <Facts facts={facts(known)} />
            </Card>
            {known.error ? <Problem message={known.error} /> : null}
            {known.status === "completed" ? (
              <Section title="Result">
                <Result value={known.result} />
              </Section>
            ) : null}
            <Section title="Steps">
              <Remote query={definition}>
                {(workflowKnown) => <StepList graph={workflowKnown.graph} steps={known.steps} />}
              </Remote>
            </Section>
            <Section title="Inputs">
              <Code label="Inputs" value={known.inputs} />
            </Section>
            <AsCommand calls={[known.status === "running" ? calls.cancelRun(id) : calls.rerun(id)]} />
          </>
        )}
      </Remote>
    </Page>
  );
}

function facts(run: Run) {
  const ended = run.completed_at;
  const took = ended ? new Date(ended).getTime() - new Date(run.started_at).getTime() : null;
  return [
    ["Status", <Status key="status" status={run.status} />],
    ["Run", <code key="id">{run.run_id}</code>],
    [
      "Workflow",
      <Link key="workflow" href={`/workflows/${encodeURIComponent(run.workflow)}`}>
        {run.workflow}
      </Link>,
    ],
    ["Started", fullTime(run.started_at)],
    ["Took", took === null ? null : duration(took)],
    ["Cost", usd(run.cost_usd)],
  ] as const;
}

/** A text is read as the markdown that models write, an object by its fields; anything else as JSON. */
function Result({ value }: { value: unknown }) {
  if (isObject(value)) {
    return (
      <Card padded>
        <dl className={classes.result}>
          {Object.entries(value).map(([name, field]) => (
            <div key={name}>
              <dt>{name}</dt>
              <dd>
                {typeof field === "string" ? (
                  <Markdown text={field} streaming={false} />
                ) : (
                  <Code label={name} value={field ?? null} />
                )}
              </dd>
            </div>
          ))}
        </dl>
      </Card>
    );
  }
  if (typeof value !== "string") return <Code label="Result" value={value ?? null} />;
  return (
    <Card padded>
      <Markdown text={value} streaming={false} />
    </Card>
  );
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function Act({ workflow, run }: { workflow: string; run: Run }) {
  return run.status === "running" ? (
    <Cancel id={run.run_id} />
  ) : (
    <Again workflow={workflow} id={run.run_id} />
  );
}

function Again({ workflow, id }: { workflow: string; id: string }) {
  const queries = useQueryClient();
  const [, go] = useLocation();
  const again = useMutation({
    mutationFn: () => manage.rerun(id),
    onSuccess: ({ run_id: run }) => {
      void queries.invalidateQueries({ queryKey: ["runs"] });
      go(runAddress(workflow, run));
    },
  });
  return (
    <>
      <Button
        size="compact-md"
        variant="default"
        leftSection={<IconRefresh size={15} />}
        loading={again.isPending}
        onClick={() => again.mutate()}
      >
        Run again
      </Button>
      {again.error ? <Problem message={again.error.message} /> : null}
    </>
  );
}

function Cancel({ id }: { id: string }) {
  const queries = useQueryClient();
  const cancel = useMutation({
    mutationFn: () => perform(calls.cancelRun(id)),
    onSettled: () => queries.invalidateQueries({ queryKey: ["run", id] }),
  });
  return (
    <>
      <Button
        size="compact-md"
        variant="default"
        leftSection={<IconPlayerStop size={15} />}
        loading={cancel.isPending}
        onClick={() => cancel.mutate()}
      >
        Cancel
      </Button>
      {cancel.error ? <Problem message={cancel.error.message} /> : null}
    </>
  );
}
