import { Button, NativeSelect, Textarea, TextInput } from "@mantine/core";
import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { type SyntheticEvent, useState } from "react";

import { manage } from "../api/manage";
import { agentsQuery } from "../api/queries";
import { Choice } from "../ui/Choice";
import { Dialog, DialogFoot } from "../ui/Dialog";
import { Problem } from "../ui/Problem";
import classes from "./AddSchedule.module.css";

const EXAMPLES = [
  { value: "0 9 * * 1-5", label: "Weekdays at 9" },
  { value: "0 * * * *", label: "Each hour" },
  { value: "0 8 1 * *", label: "First of the month" },
] as const;

/** Which agent gets which message, and when; the server checks the expression. */
export function AddSchedule({ onClose }: { onClose: () => void }) {
  const queries = useQueryClient();
  const agents = (useQuery(agentsQuery).data ?? []).map((agent) => agent.name);
  const [name, setName] = useState("");
  const [cron, setCron] = useState<string>(EXAMPLES[0].value);
  const [agent, setAgent] = useState<string | null>(null);
  const [message, setMessage] = useState("");
  const chosen = agent ?? agents[0] ?? "";
  const add = useMutation({
    mutationFn: () => manage.addSchedule({ name: name.trim(), cron, agent: chosen, message: message.trim() }),
    onSuccess: () => {
      void queries.invalidateQueries({ queryKey: ["schedules"] });
      onClose();
    },
  });
  const submit = (event: SyntheticEvent): void => {
    event.preventDefault();
    add.mutate();
  };
  return (
    <Dialog title="New schedule" onClose={onClose}>
      <form className={classes.form} onSubmit={submit}>
        <TextInput
          label="Name"
          required
          value={name}
          onChange={(event) => setName(event.currentTarget.value)}
        />
        <TextInput
          label="When"
          description="Minute, hour, day of month, month, day of week; in the server's time zone"
          required
          value={cron}
          onChange={(event) => setCron(event.currentTarget.value)}
        />
        <Choice label="Examples" options={EXAMPLES} value={cron} onChange={setCron} />
        <NativeSelect
          label="Agent"
          value={chosen}
          onChange={(event) => setAgent(event.currentTarget.value)}
          data={agents}
        />
        <Textarea
          label="Message"
          required
          autosize
          minRows={2}
          maxRows={8}
          value={message}
          onChange={(event) => setMessage(event.currentTarget.value)}
        />
        {add.error ? <Problem message={add.error.message} /> : null}
        <DialogFoot>
          <Button variant="default" onClick={onClose}>
            Cancel
          </Button>
          <Button type="submit" loading={add.isPending}>
            Create
          </Button>
        </DialogFoot>
      </form>
    </Dialog>
  );
}
