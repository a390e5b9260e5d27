import { useQuery } from "@tanstack/react-query";
import { Link } from "wouter";

import { runsQuery, workflowQuery } from "../api/lists";
import { fullTime, usd } from "../ui/format";
import { Page } from "../ui/Page";
import { Remote } from "../ui/Remote";
import { Card, Nothing, Section } from "../ui/Section";
import { Status } from "../ui/StatusDot";
import { runAddress } from "./address";
import { LaunchForm } from "./LaunchForm";
import { StepList } from "./StepList";
import classes from "./WorkflowPage.module.css";

/** One workflow: its form, its steps, its runs. */
export function WorkflowPage({ name }: { name: string }) {
  const workflow = useQuery(workflowQuery(name));
  return (
    <Page title={name}>
      <Remote query={workflow} height={240}>
        {(known) => (
          <>
            {known.description ? <p className={classes.about}>{known.description}</p> : null}
            <LaunchForm workflow={known} />
            <Section title="Steps">
              <StepList graph={known.graph} steps={[]} />
            </Section>
          </>
        )}
      </Remote>
      <Section title="Runs">
        <Runs name={name} />
      </Section>
    </Page>
  );
}

function Runs({ name }: { name: string }) {
  const runs = useQuery(runsQuery(name));
  return (
    <Remote query={runs}>
      {(all) =>
        all.length === 0 ? (
          <Nothing>It has not been run yet.</Nothing>
        ) : (
          <Card>
            <ul className={classes.runs}>
              {all.map((run) => (
                <li key={run.run_id}>
                  <Status status={run.status} />
                  <Link href={runAddress(name, run.run_id)}>{fullTime(run.started_at)}</Link>
                  <span>{usd(run.cost_usd)}</span>
                </li>
              ))}
            </ul>
          </Card>
        )
      }
    </Remote>
  );
}
