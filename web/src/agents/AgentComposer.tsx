import { Textarea, TextInput } from "@mantine/core";
import { useQuery } from "@tanstack/react-query";
import { useState } from "react";

import { calls } from "../api/calls";
import { toolsQuery } from "../api/lists";
import { agentsQuery } from "../api/queries";
import type { NewAgent } from "../api/types";
import { FormDialog } from "../ui/FormDialog";
import classes from "./AgentComposer.module.css";

type Draft = Required<Pick<NewAgent, "name" | "system" | "description" | "tools" | "team">> & {
  model: string;
};

const EMPTY: Draft = { name: "", system: "", description: "", model: "", tools: [], team: [] };

/** Defines an agent by hand; the server checks it as it checks a document. */
export function AgentComposer({ onClose }: { onClose: () => void }) {
  const tools = useQuery(toolsQuery);
  const agents = useQuery(agentsQuery);
  const [draft, setDraft] = useState<Draft>(EMPTY);
  const change = (part: Partial<Draft>): void => setDraft({ ...draft, ...part });
  const call = calls.createAgent(filled(draft));
  return (
    <FormDialog title="New agent" action="Create" call={call} outdates="agents" onClose={onClose}>
      <TextInput
        label="Name"
        required
        value={draft.name}
        onChange={(event) => change({ name: event.currentTarget.value })}
      />
      <TextInput
        label="What it is for"
        value={draft.description}
        onChange={(event) => change({ description: event.currentTarget.value })}
      />
      <Textarea
        label="System prompt"
        required
        autosize
        minRows={3}
        maxRows={10}
        value={draft.system}
        onChange={(event) => change({ system: event.currentTarget.value })}
      />
      <TextInput
        label="Model"
        placeholder="the default"
        value={draft.model}
        onChange={(event) => change({ model: event.currentTarget.value })}
      />
      <Several
        title="Tools"
        offered={(tools.data ?? []).map((tool) => tool.name)}
        chosen={draft.tools}
        onChange={(chosen) => change({ tools: chosen })}
      />
      <Several
        title="Team"
        offered={(agents.data ?? []).map((agent) => agent.name)}
        chosen={draft.team}
        onChange={(chosen) => change({ team: chosen })}
      />
    </FormDialog>
  );
}

/** What was left empty is not sent: the server's defaults hold. */
function filled(draft: Draft): NewAgent {
  const given = Object.entries(draft).filter(([, value]) => value.length > 0);
  return { name: draft.name, ...Object.fromEntries(given) };
}

interface SeveralProps {
  title: string;
  offered: readonly string[];
  chosen: readonly string[];
  onChange: (chosen: string[]) => void;
}

function Several({ title, offered, chosen, onChange }: SeveralProps) {
  if (offered.length === 0) return null;
  return (
    <fieldset className={classes.several}>
      <legend>{title}</legend>
      {offered.map((name) => (
        <label key={name}>
          <input
            type="checkbox"
            checked={chosen.includes(name)}
            onChange={(event) =>
              onChange(
                event.currentTarget.checked ? [...chosen, name] : chosen.filter((each) => each !== name),
              )
            }
          />
          {name}
        </label>
      ))}
    </fieldset>
  );
}
