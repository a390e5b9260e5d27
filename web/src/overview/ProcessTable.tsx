import { Skeleton } from "@mantine/core";
import { useQuery } from "@tanstack/react-query";

import { processesQuery } from "../api/lists";
import type { ProcessSummary } from "../api/types";
import { count, fullTime, usd } from "../ui/format";
import { Problem } from "../ui/Problem";
import { Status } from "../ui/StatusDot";
import page from "./OverviewPage.module.css";
import classes from "./ProcessTable.module.css";
import { Since } from "../ui/Since";

/** Every process the server knows, the newest first; on a phone each row becomes a card. */
export function ProcessTable() {
  const processes = useQuery(processesQuery);
  if (processes.error) {
    const retry = { label: "Try again", run: () => void processes.refetch() };
    return <Problem message={processes.error.message} action={retry} />;
  }
  if (!processes.data) return <Skeleton height={160} radius="lg" />;
  if (processes.data.length === 0) {
    return (
      <div className={`${page.card ?? ""} ${page.nothing ?? ""}`}>
        No process has run yet. The first message to an agent starts one.
      </div>
    );
  }
  return (
    <div className={page.card}>
      <table className={classes.table}>
        <thead>
          <tr>
            <th scope="col">Status</th>
            <th scope="col">Agent</th>
            <th scope="col">Process</th>
            <th scope="col">Started</th>
            <th scope="col" className={classes.number}>
              Model calls
            </th>
            <th scope="col" className={classes.number}>
              Tokens
            </th>
            <th scope="col" className={classes.number}>
              Cost
            </th>
          </tr>
        </thead>
        <tbody>
          {processes.data.map((process) => (
            <Row key={process.id} process={process} />
          ))}
        </tbody>
      </table>
    </div>
  );
}

function Row({ process }: { process: ProcessSummary }) {
  const { metrics } = process;
  return (
    <tr>
      <td data-label="Status">
        <Status status={process.status} />
      </td>
      <td data-label="Agent" className={classes.agent}>
        {process.agent}
        {process.task ? <span className={classes.task}>{process.task}</span> : null}
      </td>
      <td data-label="Process" className={classes.process}>
        <code title={process.id}>{process.name ?? process.id}</code>
        <Incarnation process={process} />
      </td>
      <td data-label="Started">
        <time dateTime={process.started_at} title={fullTime(process.started_at)}>
          <Since timestamp={process.started_at} />
        </time>
      </td>
      <td data-label="Model calls" className={classes.number}>
        {count(metrics.iterations)}
      </td>
      <td data-label="Tokens" className={classes.number}>
        {count(metrics.input_tokens + metrics.output_tokens)}
      </td>
      <td data-label="Cost" className={classes.number}>
        {usd(metrics.cost_usd)}
      </td>
    </tr>
  );
}

/** Says so when this is not the first life of the process, and what ended it. */
function Incarnation({ process }: { process: ProcessSummary }) {
  const notes = [
    process.incarnation > 1 ? `incarnation #${process.incarnation}` : "",
    process.exit_reason ?? "",
    process.waiting_on ? `waiting on ${process.waiting_on}` : "",
  ].filter((note) => note !== "");
  return notes.length > 0 ? <span className={classes.notes}>{notes.join(", ")}</span> : null;
}
