import { NativeSelect, Textarea, TextInput } from "@mantine/core";
import { useQuery } from "@tanstack/react-query";
import { useState } from "react";

import { calls } from "../api/calls";
import { agentsQuery } from "../api/queries";
import { Choice } from "../ui/Choice";
import { FormDialog } from "../ui/FormDialog";

const EXAMPLES = [
  { value: "0 9 * * 1-5", label: "Weekdays at 9" },
  { value: "0 * * * *", label: "Each hour" },
  { value: "0 8 1 * *", label: "First of the month" },
] as const;

/** Which agent gets which message, and when; the server checks the expression. */
export function AddSchedule({ onClose }: { onClose: () => void }) {
  const agents = (useQuery(agentsQuery).data ?? []).map((agent) => agent.name);
  const [name, setName] = useState("");
  const [cron, setCron] = useState<string>(EXAMPLES[0].value);
  const [agent, setAgent] = useState<string | null>(null);
  const [message, setMessage] = useState("");
  const chosen = agent ?? agents[0] ?? "";
  const call = calls.addSchedule({ name: name.trim(), cron, agent: chosen, message: message.trim() });
  return (
    <FormDialog title="New schedule" action="Create" call={call} outdates="schedules" onClose={onClose}>
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
    </FormDialog>
  );
}
