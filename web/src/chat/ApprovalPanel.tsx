import { Button } from "@mantine/core";
import { useMutation } from "@tanstack/react-query";

import { calls, perform } from "../api/calls";
import { clockTime } from "../ui/format";
import { Problem } from "../ui/Problem";
import classes from "./ApprovalPanel.module.css";
import type { ApprovalPart } from "./transcript";

/** A call that waits for a human's word, answered where it stands; the arguments are exactly those of the call. */
export default function ApprovalPanel({ approval }: { approval: ApprovalPart }) {
  const decide = useMutation({
    mutationFn: (decision: "approve" | "deny") => perform(calls.decide(approval.id, decision, "")),
  });
  return (
    <section className={classes.panel} data-part="approval" aria-label={`Approval of ${approval.name}`}>
      <div className={classes.head}>
        <span>
          Approve <code>{approval.name}</code>?
        </span>
        <span className={classes.state}>{stateOf(approval)}</span>
      </div>
      <pre tabIndex={0} aria-label="Arguments">
        {JSON.stringify(approval.arguments ?? {}, null, 2)}
      </pre>
      {decide.error ? <Problem message={decide.error.message} /> : null}
      {approval.decision === null ? (
        <div className={classes.buttons}>
          <Button size="compact-sm" disabled={decide.isPending} onClick={() => decide.mutate("approve")}>
            Approve
          </Button>
          <Button
            size="compact-sm"
            variant="default"
            disabled={decide.isPending}
            onClick={() => decide.mutate("deny")}
          >
            Deny
          </Button>
        </div>
      ) : null}
    </section>
  );
}

function stateOf(approval: ApprovalPart): string {
  if (approval.decision !== null) return approval.decision;
  return approval.expiresAt === null ? "waiting" : `waiting until ${clockTime(approval.expiresAt)}`;
}
