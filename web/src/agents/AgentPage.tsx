import { Button } from "@mantine/core";
import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { IconMessageCircle, IconTrash } from "@tabler/icons-react";
import { useState } from "react";
import { Link, useLocation } from "wouter";

import { calls, perform } from "../api/calls";
import { agentQuery } from "../api/lists";
import type { AgentDetail } from "../api/types";
import { chatAddress } from "../chat/useSelectedAgent";
import { processAddress } from "../processes/process";
import { AsCommand } from "../ui/AsCommand";
import { Code } from "../ui/Code";
import { Dialog, DialogFoot } from "../ui/Dialog";
import { Facts } from "../ui/Facts";
import { span } from "../ui/format";
import { Page } from "../ui/Page";
import { Problem } from "../ui/Problem";
import { Remote } from "../ui/Remote";
import { Card, Nothing, Section } from "../ui/Section";
import { Status } from "../ui/StatusDot";
import classes from "./AgentPage.module.css";

/** One agent's whole definition, and where each of its tools comes from. */
export function AgentPage({ name }: { name: string }) {
  const agent = useQuery(agentQuery(name));
  return (
    <Page title={agent.data?.display_name ?? name} aside={agent.data ? <Actions agent={agent.data} /> : null}>
      <Remote query={agent} height={240}>
        {(known) => <Definition agent={known} />}
      </Remote>
    </Page>
  );
}

function Definition({ agent }: { agent: AgentDetail }) {
  return (
    <>
      <Card padded>
        <Facts facts={facts(agent)} />
      </Card>
      <Section title="System prompt">
        {agent.system ? <Code label="System prompt" value={agent.system} /> : <Nothing>It has none.</Nothing>}
      </Section>
      <Section title="Tools">
        {agent.tools.length === 0 ? (
          <Nothing>It has no tools.</Nothing>
        ) : (
          <Card>
            <ul className={classes.tools}>
              {agent.tools.map((tool) => (
                <li key={tool.name}>
                  <code>{tool.name}</code>
                  <span>{tool.origin}</span>
                </li>
              ))}
            </ul>
          </Card>
        )}
      </Section>
    </>
  );
}

function facts(agent: AgentDetail) {
  const { supervision } = agent;
  const policy = supervision
    ? `${supervision.strategy}, ${supervision.max_restarts ?? "any number of"} restarts in ${span(supervision.window_s)}`
    : null;
  return [
    ["Model", agent.model],
    ["About", agent.description],
    ["Defined", agent.source ?? "in the document"],
    ["Team", agent.team?.join(", ")],
    ["Temperature", agent.temperature],
    ["Most tokens an answer", agent.max_tokens],
    ["Most model calls a turn", agent.max_iterations],
    ["Supervision", policy],
    ["Status", agent.process_status ? <Status key="status" status={agent.process_status} /> : null],
    [
      "Process",
      agent.process_id ? (
        <Link key="process" href={processAddress(agent.process_id)}>
          {agent.process_id}
        </Link>
      ) : null,
    ],
  ] as const;
}

function Actions({ agent }: { agent: AgentDetail }) {
  const [asking, setAsking] = useState(false);
  const [, go] = useLocation();
  return (
    <div className={classes.actions}>
      <Button
        size="compact-md"
        variant="default"
        leftSection={<IconMessageCircle size={15} />}
        onClick={() => go(chatAddress(agent.name))}
      >
        Chat
      </Button>
      {agent.source === "builtin" ? null : (
        <Button
          size="compact-md"
          variant="default"
          leftSection={<IconTrash size={15} />}
          onClick={() => setAsking(true)}
        >
          Delete
        </Button>
      )}
      {asking ? <Delete agent={agent} onClose={() => setAsking(false)} /> : null}
    </div>
  );
}

function Delete({ agent, onClose }: { agent: AgentDetail; onClose: () => void }) {
  const queries = useQueryClient();
  const [, go] = useLocation();
  const remove = useMutation({
    mutationFn: () => perform(calls.deleteAgent(agent.name)),
    onSuccess: () => {
      void queries.invalidateQueries({ queryKey: ["agents"], exact: true });
      go("/agents");
    },
  });
  const returns = agent.source === undefined;
  return (
    <Dialog title={`Delete ${agent.name}?`} onClose={onClose}>
      <p className={classes.text}>
        {returns
          ? "It is defined in the document, so it is back when the server starts again."
          : "Its definition is deleted for good."}
      </p>
      <AsCommand calls={[calls.deleteAgent(agent.name)]} />
      {remove.error ? <Problem message={remove.error.message} /> : null}
      <DialogFoot>
        <Button variant="default" onClick={onClose}>
          Keep it
        </Button>
        <Button color="red.9" loading={remove.isPending} onClick={() => remove.mutate()}>
          Delete
        </Button>
      </DialogFoot>
    </Dialog>
  );
}
