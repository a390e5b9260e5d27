import { ActionIcon, Button } from "@mantine/core";
import { useQuery } from "@tanstack/react-query";
import { IconHistory, IconTrash } from "@tabler/icons-react";
import { lazy, Suspense, useState } from "react";
import { Link } from "wouter";

import { processQuery } from "../api/queries";
import type { Agent } from "../api/types";
import { processAddress } from "../processes/process";
import { count, plural, usd } from "../ui/format";
import classes from "./ChatHeader.module.css";

const SessionsDialog = lazy(() => import("./SessionsDialog"));

interface ChatHeaderProps {
  name: string;
  agent: Agent | undefined;
  session: string | null;
  busy: boolean;
  messages: number;
  onClear: () => void;
}

export function ChatHeader({ name, agent, session, busy, messages, onClear }: ChatHeaderProps) {
  // A conversation has the id of its process, which there is from the first message on.
  const used = session === null ? agent?.process_id : messages > 0 ? session : undefined;
  return (
    <header className={classes.header}>
      <div className={classes.who}>
        <h1 className={classes.name}>{agent?.display_name ?? name}</h1>
        <p className={classes.about}>
          {about(agent)}
          {used === undefined ? null : <Meter process={used} />}
        </p>
      </div>
      <SessionsButton name={name} session={session} />
      {messages > 0 ? <ClearButton busy={busy} messages={messages} onClear={onClear} /> : null}
    </header>
  );
}

function about(agent: Agent | undefined): string {
  const tools = agent?.tools?.length ?? 0;
  const parts = [agent?.model ?? "", tools > 0 ? plural(tools, "tool") : ""];
  return parts.filter((part) => part !== "").join(" · ");
}

/** What this conversation's process has used so far; it leads to the process. */
function Meter({ process }: { process: string }) {
  const { data } = useQuery(processQuery(process));
  if (!data) return null;
  const { metrics, context } = data;
  const share = Math.min(100, Math.round((context.tokens / context.max_tokens) * 100));
  const spoken = `About ${count(context.tokens)} of ${count(context.max_tokens)} tokens of context`;
  return (
    <>
      {" · "}
      <Link href={processAddress(process)} className={classes.meter ?? ""}>
        {count(metrics.input_tokens + metrics.output_tokens)} tokens, {usd(metrics.cost_usd)}
      </Link>
      {" · "}
      <span className={classes.context} title={spoken} data-full={share >= 80}>
        context {share} %
        <span
          className={classes.track}
          role="meter"
          aria-label="Context used"
          aria-valuenow={share}
          aria-valuetext={spoken}
        >
          <span style={{ width: `${share}%` }} />
        </span>
      </span>
    </>
  );
}

function SessionsButton({ name, session }: { name: string; session: string | null }) {
  const [open, setOpen] = useState(false);
  return (
    <>
      <ActionIcon
        variant="subtle"
        color="var(--vega-muted)"
        size="lg"
        title="Conversations"
        aria-label="Conversations"
        onClick={() => setOpen(true)}
      >
        <IconHistory size={18} stroke={1.7} />
      </ActionIcon>
      {open ? (
        <Suspense fallback={null}>
          <SessionsDialog agent={name} current={session} onClose={() => setOpen(false)} />
        </Suspense>
      ) : null}
    </>
  );
}

interface ClearButtonProps {
  busy: boolean;
  messages: number;
  onClear: () => void;
}

/** Deleting cannot be undone, so it asks, at the same place. */
function ClearButton({ busy, messages, onClear }: ClearButtonProps) {
  const [asking, setAsking] = useState(false);
  if (!asking || busy) {
    const label = busy ? "Clear the conversation (stop the answer first)" : "Clear the conversation";
    return (
      <ActionIcon
        variant="subtle"
        color="var(--vega-muted)"
        size="lg"
        title={label}
        aria-label={label}
        aria-disabled={busy}
        onClick={() => setAsking(!busy)}
      >
        <IconTrash size={18} stroke={1.7} />
      </ActionIcon>
    );
  }
  return (
    <div className={classes.ask} role="group" aria-label="Clear the conversation">
      <span className={classes.question}>Delete {plural(messages, "message")} for good?</span>
      <Button size="compact-sm" color="red.9" autoFocus onClick={onClear}>
        Delete
      </Button>
      <Button size="compact-sm" variant="default" onClick={() => setAsking(false)}>
        Keep
      </Button>
    </div>
  );
}
