import { NativeSelect } from "@mantine/core";
import { useQuery } from "@tanstack/react-query";
import { useDeferredValue, useMemo, useState } from "react";
import { Link, Route, Switch } from "wouter";

import { processesQuery } from "../api/lists";
import type { ProcessSummary } from "../api/types";
import { FilterBar } from "../ui/FilterBar";
import { count, plural, usd } from "../ui/format";
import { Page } from "../ui/Page";
import { Remote } from "../ui/Remote";
import { Nothing } from "../ui/Section";
import { Since } from "../ui/Since";
import { Status } from "../ui/StatusDot";
import { type Column, VirtualTable } from "../ui/VirtualTable";
import { ProcessPage } from "./ProcessPage";
import classes from "./ProcessesPage.module.css";
import { matches, nameOf, processAddress, STATUSES, waitOf, workOf } from "./process";

export default function ProcessesPage() {
  return (
    <Switch>
      <Route path="/processes/:id">{({ id }) => <ProcessPage key={id} id={decodeURIComponent(id)} />}</Route>
      <Route component={Explorer} />
    </Switch>
  );
}

const COLUMNS: readonly Column<ProcessSummary>[] = [
  {
    key: "status",
    title: "Status",
    width: "104px",
    phone: "100px",
    by: (row) => row.status,
    render: (row) => <Status status={row.status} />,
  },
  {
    key: "agent",
    title: "Agent",
    width: "minmax(124px, 1fr)",
    by: (row) => row.agent,
    render: (row) => <Link href={processAddress(row.id)}>{nameOf(row)}</Link>,
  },
  {
    key: "task",
    title: "Task",
    width: "minmax(90px, 2fr)",
    wide: true,
    render: (row) => <span title={row.task}>{workOf(row.task)}</span>,
  },
  {
    key: "process",
    title: "Process",
    width: "132px",
    wide: true,
    by: (row) => row.name ?? row.id,
    render: (row) => (
      <code className={classes.id} title={row.id}>
        {row.name ?? row.id}
      </code>
    ),
  },
  {
    key: "incarnation",
    title: "Life",
    width: "44px",
    wide: true,
    numeric: true,
    by: (row) => row.incarnation,
    render: (row) => <span data-reborn={row.incarnation > 1}>#{row.incarnation}</span>,
  },
  {
    key: "waiting",
    title: "Waiting on",
    width: "minmax(76px, 1fr)",
    wide: true,
    by: (row) => row.waiting_on ?? "",
    render: (row) => <span title={row.waiting_on}>{waitOf(row.waiting_on)}</span>,
  },
  {
    key: "started",
    title: "Started",
    width: "88px",
    phone: "80px",
    numeric: true,
    by: (row) => row.started_at,
    render: (row) => (
      <time dateTime={row.started_at}>
        <Since timestamp={row.started_at} />
      </time>
    ),
  },
  {
    key: "tokens",
    title: "Tokens",
    width: "64px",
    wide: true,
    numeric: true,
    by: (row) => row.metrics.input_tokens + row.metrics.output_tokens,
    render: (row) => count(row.metrics.input_tokens + row.metrics.output_tokens),
  },
  {
    key: "cost",
    title: "Cost",
    width: "64px",
    wide: true,
    numeric: true,
    by: (row) => row.metrics.cost_usd,
    render: (row) => usd(row.metrics.cost_usd),
  },
];

function Explorer() {
  const processes = useQuery(processesQuery);
  const [text, setText] = useState("");
  const [status, setStatus] = useState("");
  const sought = useDeferredValue(text);
  const rows = useMemo(
    () =>
      (processes.data ?? []).filter(
        (row) => (status === "" || row.status === status) && matches(row, sought),
      ),
    [processes.data, sought, status],
  );
  return (
    <Page
      title="Processes"
      filled
      aside={<span className={classes.count}>{plural(rows.length, "process", "processes")}</span>}
    >
      <FilterBar label="Search agent, task, id" text={text} onText={setText}>
        <NativeSelect
          aria-label="Status"
          value={status}
          onChange={(event) => setStatus(event.currentTarget.value)}
          data={[{ value: "", label: "Any status" }, ...STATUSES]}
        />
      </FilterBar>
      <Remote query={processes} height={320}>
        {(all) =>
          rows.length > 0 ? (
            <VirtualTable
              label="Processes"
              rows={rows}
              columns={COLUMNS}
              keyOf={(row) => row.id}
              rowHeight={44}
            />
          ) : (
            <Nothing>
              {all.length === 0
                ? "No process has run yet. The first message to an agent starts one."
                : "No process is like that."}
            </Nothing>
          )
        }
      </Remote>
    </Page>
  );
}
