import { Button, TextInput } from "@mantine/core";
import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { IconShieldCheck } from "@tabler/icons-react";
import { useState } from "react";
import { Link } from "wouter";

import { calls, perform } from "../api/calls";
import { approvalsQuery } from "../api/lists";
import type { Approval } from "../api/types";
import { processAddress } from "../processes/process";
import { AsCommand } from "../ui/AsCommand";
import { Code } from "../ui/Code";
import { EmptyState } from "../ui/EmptyState";
import { clockTime, fullTime } from "../ui/format";
import { Page } from "../ui/Page";
import { Problem } from "../ui/Problem";
import { Remote } from "../ui/Remote";
import { Card, Section } from "../ui/Section";
import classes from "./ApprovalsPage.module.css";

/** Calls that wait for a human's word, and what became of earlier ones. */
export default function ApprovalsPage() {
  const approvals = useQuery(approvalsQuery);
  return (
    <Page title="Approvals">
      <Remote query={approvals} height={200}>
        {(all) => <Lists approvals={all} />}
      </Remote>
    </Page>
  );
}

function Lists({ approvals }: { approvals: readonly Approval[] }) {
  const pending = approvals.filter((each) => each.status === "pending");
  const past = approvals.filter((each) => each.status !== "pending");
  return (
    <>
      {pending.length === 0 ? (
        <EmptyState icon={<IconShieldCheck size={22} />} title="Nothing waits for you">
          A call of a tool that needs approval appears here at once.
        </EmptyState>
      ) : (
        pending.map((each) => <Request key={each.id} approval={each} />)
      )}
      {past.length > 0 ? (
        <Section title="Decided">
          <Card>
            <ul className={classes.past}>
              {past.map((each) => (
                <li key={each.id}>
                  <span>
                    <strong>{each.tool_name}</strong> for {each.agent}
                  </span>
                  <time dateTime={each.created_at} title={fullTime(each.created_at)}>
                    {clockTime(each.created_at)}
                  </time>
                  <span data-status={each.status}>{each.status}</span>
                </li>
              ))}
            </ul>
          </Card>
        </Section>
      ) : null}
    </>
  );
}

/** One request, with the exact arguments: the answer holds for these and for this one call. */
function Request({ approval }: { approval: Approval }) {
  const queries = useQueryClient();
  const [note, setNote] = useState("");
  const decide = useMutation({
    mutationFn: (decision: "approve" | "deny") => perform(calls.decide(approval.id, decision, note.trim())),
    onSettled: () => queries.invalidateQueries({ queryKey: ["approvals"] }),
  });
  return (
    <Card padded>
      <article className={classes.request} aria-label={`${approval.tool_name} for ${approval.agent}`}>
        <header>
          <h2>
            {approval.agent} wants to call <code>{approval.tool_name}</code>
          </h2>
          <p className={classes.about}>
            {approval.reason ? `${approval.reason} · ` : ""}
            {approval.expires_at ? `denied by itself at ${clockTime(approval.expires_at)} · ` : ""}
            <Link href={processAddress(approval.process_id)}>process {approval.process_id}</Link>
          </p>
        </header>
        <Code label="Arguments" value={approval.arguments} />
        {decide.error ? <Problem message={decide.error.message} /> : null}
        <div className={classes.decide}>
          <TextInput
            className={classes.note ?? ""}
            aria-label="Note to the agent"
            placeholder="Note to the agent, if any"
            value={note}
            onChange={(event) => setNote(event.currentTarget.value)}
          />
          <Button variant="default" disabled={decide.isPending} onClick={() => decide.mutate("deny")}>
            Deny
          </Button>
          <Button disabled={decide.isPending} onClick={() => decide.mutate("approve")}>
            Approve
          </Button>
        </div>
        <AsCommand
          calls={[
            calls.decide(approval.id, "approve", note.trim()),
            calls.decide(approval.id, "deny", note.trim()),
          ]}
        />
      </article>
    </Card>
  );
}
