import { Button, Textarea, TextInput } from "@mantine/core";
import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { type SyntheticEvent, useState } from "react";

import { manage } from "../api/manage";
import { toolsQuery } from "../api/lists";
import { agentsQuery } from "../api/queries";
import type { NewAgent } from "../api/types";
import { Dialog, DialogFoot } from "../ui/Dialog";
import { Problem } from "../ui/Problem";
import classes from "./AgentComposer.module.css";

type Draft = Required<Pick<NewAgent, "name" | "system" | "description" | "tools" | "team">> & {
  model: string;
};

const EMPTY: Draft = { name: "", system: "", description: "", model: "", tools: [], team: [] };

/** Defines an agent by hand; the server checks it as it checks a document. */
export function AgentComposer({ onClose }: { onClose: () => void }) {
  const queries = useQueryClient();
  const tools = useQuery(toolsQuery);
  const agents = useQuery(agentsQuery);
  const [draft, setDraft] = useState<Draft>(EMPTY);
  const create = useMutation({
    mutationFn: () => manage.createAgent(filled(draft)),
    onSuccess: () => {
      void queries.invalidateQueries({ queryKey: ["agents"] });
      onClose();
    },
  });
  const change = (part: Partial<Draft>): void => setDraft({ ...draft, ...part });
  const submit = (event: SyntheticEvent): void => {
    event.preventDefault();
    create.mutate();
  };
  return (
    <Dialog title="New agent" onClose={onClose}>
      <form className={classes.form} onSubmit={submit}>
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
        {create.error ? <Problem message={create.error.message} /> : null}
        <DialogFoot>
          <Button variant="default" onClick={onClose}>
            Cancel
          </Button>
          <Button type="submit" loading={create.isPending}>
            Create
          </Button>
        </DialogFoot>
      </form>
    </Dialog>
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
