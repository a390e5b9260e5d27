import { useQuery } from "@tanstack/react-query";
import { Link } from "wouter";

import { calls } from "../api/calls";
import { processesQuery } from "../api/lists";
import { processQuery } from "../api/queries";
import type { ProcessDetail } from "../api/types";
import { AsCommand } from "../ui/AsCommand";
import { Facts } from "../ui/Facts";
import { count, fullTime, usd } from "../ui/format";
import { Gauge } from "../ui/Gauge";
import { Page } from "../ui/Page";
import { Remote } from "../ui/Remote";
import { Card, Nothing, Section } from "../ui/Section";
import { Status } from "../ui/StatusDot";
import { gaugeText } from "../tree/nodes";
import { IncarnationStrip } from "./IncarnationStrip";
import { ProcessActions } from "./ProcessActions";
import classes from "./ProcessPage.module.css";
import { isAlive, nameAndId, nameOf, processAddress, workOf } from "./process";

/** One process: what it is doing, what it is tied to, its lives, and what was said. */
export function ProcessPage({ id }: { id: string }) {
  const query = useQuery(processQuery(id));
  const title = query.data ? nameOf(query.data) : id;
  return (
    <Page title={title} aside={query.data ? <ProcessActions process={query.data} /> : null}>
      <Remote query={query} height={240}>
        {(process) => <Inside process={process} />}
      </Remote>
    </Page>
  );
}

function Inside({ process }: { process: ProcessDetail }) {
  return (
    <>
      <Card padded>
        <Facts facts={facts(process)} />
      </Card>
      <Section title="Lives">
        <IncarnationStrip process={process} />
      </Section>
      <Section title="Links and monitors">
        <Ties process={process} />
      </Section>
      <Section title="Transcript">
        <Messages process={process} />
      </Section>
      {isAlive(process.status) ? <AsCommand calls={[calls.stopProcess(process.id)]} /> : null}
    </>
  );
}

function facts(process: ProcessDetail) {
  const { metrics, mailbox, restarts, budget } = process;
  return [
    ["Status", <Status key="status" status={process.status} />],
    ["Process", <code key="id">{process.id}</code>],
    ["Name", process.name],
    ["Task", workOf(process.task)],
    ["Waiting on", process.waiting_on],
    ["Exit reason", process.exit_reason],
    ["Started", fullTime(process.started_at)],
    ["Ended", process.completed_at ? fullTime(process.completed_at) : null],
    ["Spawned by", process.parent_id ? <ProcessLink key="parent" id={process.parent_id} /> : null],
    ["Because", process.spawn_reason],
    ["Supervisor", process.supervisor],
    [
      "Restarts",
      <Gauge
        key="restarts"
        label="Restarts used"
        used={restarts.count}
        most={restarts.max}
        text={gaugeText({
          restarts_used: restarts.count,
          max_restarts: restarts.max,
          window_s: restarts.window_s,
        })}
      />,
    ],
    [
      "Mailbox",
      <Gauge
        key="mailbox"
        label="Mailbox"
        used={mailbox.length}
        most={mailbox.capacity}
        text={`${mailbox.length} of ${mailbox.capacity}`}
      />,
    ],
    [
      "Budget",
      budget.limit_usd === undefined ? null : (
        <Gauge
          key="budget"
          label="Budget spent"
          used={budget.spent_usd}
          most={budget.limit_usd}
          text={`${usd(budget.spent_usd)} of ${usd(budget.limit_usd)}`}
        />
      ),
    ],
    ["Deadline", process.deadline ? fullTime(process.deadline) : null],
    ["Model calls", count(metrics.iterations)],
    ["Tool calls", count(metrics.tool_calls)],
    ["Tokens", `${count(metrics.input_tokens)} in, ${count(metrics.output_tokens)} out`],
    ["Cost", usd(metrics.cost_usd)],
  ] as const;
}

function ProcessLink({ id }: { id: string }) {
  const { data } = useQuery(processesQuery);
  const known = data?.find((process) => process.id === id);
  return <Link href={processAddress(id)}>{nameAndId(known, id)}</Link>;
}

/** A link is a fate that is shared; a monitor is only told. */
function Ties({ process }: { process: ProcessDetail }) {
  const links = process.links;
  const monitors = process.monitors;
  if (links.length + monitors.length === 0) {
    return <Nothing>It is linked to no process, and none watches it.</Nothing>;
  }
  return (
    <Card padded>
      <Facts
        facts={[
          ["Linked: they end together", links.length > 0 ? <Ids ids={links} /> : "none"],
          ["Monitors", monitors.length > 0 ? <Ids ids={monitors} /> : "none"],
        ]}
      />
    </Card>
  );
}

function Ids({ ids }: { ids: readonly string[] }) {
  return (
    <ul className={classes.ids}>
      {ids.map((id) => (
        <li key={id}>
          <ProcessLink id={id} />
        </li>
      ))}
    </ul>
  );
}

function Messages({ process }: { process: ProcessDetail }) {
  if (process.messages.length === 0) return <Nothing>Nothing has been said to it.</Nothing>;
  return (
    <Card>
      <ol className={classes.messages}>
        {process.messages.map((message, index) => (
          // A history only grows at its end.
          <li key={index} data-role={message.role}>
            <span className={classes.role}>{message.role}</span>
            <div className={classes.content}>{message.content || "(a tool's call or result)"}</div>
          </li>
        ))}
      </ol>
    </Card>
  );
}
