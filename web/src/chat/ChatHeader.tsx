import { ActionIcon, Button } from "@mantine/core";
import { IconTrash } from "@tabler/icons-react";
import { useState } from "react";

import type { Agent } from "../api/types";
import { plural } from "../ui/format";
import classes from "./ChatHeader.module.css";

interface ChatHeaderProps {
  name: string;
  agent: Agent | undefined;
  busy: boolean;
  messages: number;
  onClear: () => void;
}

export function ChatHeader({ name, agent, busy, messages, onClear }: ChatHeaderProps) {
  return (
    <header className={classes.header}>
      <div className={classes.who}>
        <h1 className={classes.name}>{agent?.display_name ?? name}</h1>
        <p className={classes.about}>{about(agent)}</p>
      </div>
      {messages > 0 ? <ClearButton busy={busy} messages={messages} onClear={onClear} /> : null}
    </header>
  );
}

function about(agent: Agent | undefined): string {
  const tools = agent?.tools?.length ?? 0;
  const parts = [agent?.model ?? "", tools > 0 ? plural(tools, "tool") : ""];
  return parts.filter((part) => part !== "").join(" · ");
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
