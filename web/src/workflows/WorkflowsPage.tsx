import { useQuery } from "@tanstack/react-query";
import { Link, Route, Switch } from "wouter";

import { workflowsQuery } from "../api/lists";
import { plural } from "../ui/format";
import { Page } from "../ui/Page";
import { Remote } from "../ui/Remote";
import { Card, Nothing } from "../ui/Section";
import { RunPage } from "./RunPage";
import { WorkflowPage } from "./WorkflowPage";
import classes from "./WorkflowsPage.module.css";

export default function WorkflowsPage() {
  return (
    <Switch>
      <Route path="/workflows/:name/:run">
        {({ name, run }) => (
          <RunPage key={run} workflow={decodeURIComponent(name)} id={decodeURIComponent(run)} />
        )}
      </Route>
      <Route path="/workflows/:name">
        {({ name }) => <WorkflowPage key={name} name={decodeURIComponent(name)} />}
      </Route>
      <Route component={Launcher} />
    </Switch>
  );
}

function Launcher() {
  const workflows = useQuery(workflowsQuery);
  return (
    <Page title="Workflows">
      <Remote query={workflows} height={200}>
        {(all) =>
          all.length === 0 ? (
            <Nothing>No workflow is defined in the document.</Nothing>
          ) : (
            <ul className={classes.list}>
              {all.map((workflow) => (
                <li key={workflow.name}>
                  <Card padded>
                    <h2 className={classes.name}>
                      <Link href={`/workflows/${encodeURIComponent(workflow.name)}`}>{workflow.name}</Link>
                    </h2>
                    <p className={classes.about}>{workflow.description ?? ""}</p>
                    <p className={classes.facts}>
                      {plural(workflow.steps, "step")} ·{" "}
                      {plural(Object.keys(workflow.inputs ?? {}).length, "input")}
                    </p>
                  </Card>
                </li>
              ))}
            </ul>
          )
        }
      </Remote>
    </Page>
  );
}
