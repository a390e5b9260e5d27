import { useQuery } from "@tanstack/react-query";
import { lazy, Suspense, useState } from "react";
import { Link } from "wouter";

import { costsQuery, processesQuery } from "../api/lists";
import type { Costs, CostsBy } from "../api/types";
import { nameAndId, processAddress } from "../processes/process";
import { Choice } from "../ui/Choice";
import { Facts } from "../ui/Facts";
import { count, usd } from "../ui/format";
import { Gauge } from "../ui/Gauge";
import { Page } from "../ui/Page";
import { Remote } from "../ui/Remote";
import { Card, Nothing, Section } from "../ui/Section";
import classes from "./CostsPage.module.css";

const SpendingChart = lazy(() => import("./SpendingChart"));

const BY = [
  { value: "agent", label: "Agent" },
  { value: "model", label: "Model" },
  { value: "process", label: "Process" },
  { value: "day", label: "Day" },
] as const;

/** What was spent, on what, how much of it on turns that failed, and how near the budget is. */
export default function CostsPage() {
  const [by, setBy] = useState<CostsBy>("agent");
  const costs = useQuery(costsQuery(by));
  const days = useQuery(costsQuery("day"));
  return (
    <Page title="Costs">
      <Remote query={costs} height={100}>
        {(known) => <Totals costs={known} />}
      </Remote>
      <Section title="By day">
        <Remote query={days} height={210}>
          {({ rows }) => <Days rows={rows} />}
        </Remote>
      </Section>
      <Section title="Spent" aside={<Choice label="By" options={BY} value={by} onChange={setBy} />}>
        <Remote query={costs} height={240}>
          {(known) => <Spent by={by} costs={known} />}
        </Remote>
      </Section>
    </Page>
  );
}

function Days({ rows }: { rows: Costs["rows"] }) {
  if (rows.length === 0)
    return <Nothing>Nothing has been spent yet. The first turn of an agent is shown here.</Nothing>;
  return (
    <Card>
      <Suspense fallback={<div className={classes.chart} />}>
        <SpendingChart rows={rows} />
      </Suspense>
    </Card>
  );
}

function Totals({ costs }: { costs: Costs }) {
  const { budget } = costs;
  const limit = budget.limit_usd;
  return (
    <Card padded>
      <Facts
        facts={[
          [
            "Total",
            <strong key="total" className={classes.total}>
              {usd(costs.total_usd)}
            </strong>,
          ],
          ["Spent on failed turns", usd(costs.wasted_usd)],
          [
            "Budget",
            limit === undefined ? (
              "no limit is set"
            ) : (
              <Gauge
                key="budget"
                label="Budget spent"
                used={budget.spent_usd}
                most={limit}
                text={`${usd(budget.spent_usd)} of ${usd(limit)}`}
              />
            ),
          ],
        ]}
      />
    </Card>
  );
}

/** A process leads to its page. */
function Key({ by, name }: { by: CostsBy; name: string }) {
  const { data } = useQuery({ ...processesQuery, enabled: by === "process" });
  if (by !== "process" || name === "") return name || "(none)";
  return (
    <Link href={processAddress(name)}>
      {nameAndId(
        data?.find((each) => each.id === name),
        name,
      )}
    </Link>
  );
}

const HEADINGS: Record<CostsBy, string> = { agent: "Agent", model: "Model", process: "Process", day: "Day" };

function Spent({ by, costs }: { by: CostsBy; costs: Costs }) {
  if (costs.rows.length === 0) return <Nothing>Nothing has been spent yet.</Nothing>;
  const most = Math.max(...costs.rows.map((row) => row.cost_usd));
  return (
    <Card>
      <table className={classes.table}>
        <thead>
          <tr>
            <th scope="col">{HEADINGS[by]}</th>
            <th scope="col">Cost</th>
            <th scope="col" className={classes.wide}>
              Tokens in
            </th>
            <th scope="col" className={classes.wide}>
              Tokens out
            </th>
            <th scope="col">Calls</th>
          </tr>
        </thead>
        <tbody>
          {costs.rows.map((row) => (
            <tr key={row.key}>
              <th scope="row">
                <Key by={by} name={row.key} />
                <span
                  className={classes.bar}
                  aria-hidden="true"
                  style={{ width: `${most > 0 ? (row.cost_usd / most) * 100 : 0}%` }}
                />
              </th>
              <td>{usd(row.cost_usd)}</td>
              <td className={classes.wide}>{count(row.input_tokens)}</td>
              <td className={classes.wide}>{count(row.output_tokens)}</td>
              <td>{count(row.calls)}</td>
            </tr>
          ))}
        </tbody>
      </table>
    </Card>
  );
}
