import type { RunStep, StepNode } from "../api/types";
import { duration, usd } from "../ui/format";
import { Card } from "../ui/Section";
import { Status } from "../ui/StatusDot";
import classes from "./StepList.module.css";
import { latest, type ShownStep, shownSteps } from "./steps";

/** The steps as written, indented by their blocks, each with how it goes in a run. */
export function StepList({ graph, steps }: { graph: readonly StepNode[]; steps: readonly RunStep[] }) {
  return (
    <Card>
      <ol className={classes.steps}>
        {shownSteps(graph, steps).map((step) => (
          <Item key={step.path} step={step} />
        ))}
      </ol>
    </Card>
  );
}

function Item({ step }: { step: ShownStep }) {
  const run = latest(step.runs);
  return (
    <li className={classes.step} data-status={run?.status ?? "none"}>
      <span className={classes.title} style={{ paddingInlineStart: `${step.level * 22}px` }}>
        {step.block ? <span className={classes.block}>{step.block}</span> : null}
        {step.title}
        {step.runs.length > 1 ? <span className={classes.passes}>×{step.runs.length}</span> : null}
      </span>
      {run ? <Status status={run.status} /> : <span />}
      <span className={classes.figures}>{run ? figures(run) : ""}</span>
      {run?.error ? <span className={classes.error}>{run.error}</span> : null}
    </li>
  );
}

function figures(run: RunStep): string {
  const facts = [
    run.duration_ms === undefined ? "" : duration(run.duration_ms),
    run.cost_usd > 0 ? usd(run.cost_usd) : "",
    run.attempts > 1 ? `attempt ${run.attempts}` : "",
  ];
  return facts.filter((fact) => fact !== "").join(" · ");
}
