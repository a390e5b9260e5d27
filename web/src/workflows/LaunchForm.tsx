import { Button, NativeSelect, Textarea, TextInput } from "@mantine/core";
import { useMutation, useQueryClient } from "@tanstack/react-query";
import { IconPlayerPlay } from "@tabler/icons-react";
import { type SyntheticEvent, useState } from "react";
import { useLocation } from "wouter";

import { calls } from "../api/calls";
import { manage } from "../api/manage";
import type { Workflow, WorkflowInput } from "../api/types";
import { AsCommand } from "../ui/AsCommand";
import { Problem } from "../ui/Problem";
import { Card } from "../ui/Section";
import { type Fields, readFields, startingFields, STRUCTURED } from "./inputs";
import classes from "./LaunchForm.module.css";
import { runAddress } from "./address";

/** A field for each input of a workflow, checked as the server checks them, and the button that starts a run. */
export function LaunchForm({ workflow }: { workflow: Workflow }) {
  const declared = workflow.inputs ?? {};
  const [fields, setFields] = useState<Fields>(() => startingFields(declared));
  const [errors, setErrors] = useState<Record<string, string>>({});
  const [, go] = useLocation();
  const queries = useQueryClient();
  const start = useMutation({
    mutationFn: (inputs: Record<string, unknown>) => manage.startRun(workflow.name, inputs),
    onSuccess: ({ run_id: run }) => {
      void queries.invalidateQueries({ queryKey: ["runs"] });
      go(runAddress(workflow.name, run));
    },
  });
  const submit = (event: SyntheticEvent): void => {
    event.preventDefault();
    const reading = readFields(declared, fields);
    setErrors(reading.errors);
    if (Object.keys(reading.errors).length === 0) start.mutate(reading.inputs);
  };
  return (
    <Card padded>
      <form className={classes.form} noValidate onSubmit={submit} aria-label={`Run ${workflow.name}`}>
        {Object.entries(declared).map(([name, input]) => (
          <InputField
            key={name}
            name={name}
            input={input}
            value={fields[name] ?? ""}
            error={errors[name] ?? null}
            onChange={(value) => setFields({ ...fields, [name]: value })}
          />
        ))}
        <AsCommand calls={[calls.startRun(workflow.name, readFields(declared, fields).inputs)]} />
        {start.error ? <Problem message={start.error.message} /> : null}
        <div>
          <Button type="submit" leftSection={<IconPlayerPlay size={16} />} loading={start.isPending}>
            Run
          </Button>
        </div>
      </form>
    </Card>
  );
}

interface InputFieldProps {
  name: string;
  input: WorkflowInput;
  value: string;
  error: string | null;
  onChange: (value: string) => void;
}

function InputField({ name, input, value, error, onChange }: InputFieldProps) {
  const common = {
    label: name,
    description: input.description ?? null,
    required: input.required,
    value,
    error,
    onChange: (event: { currentTarget: { value: string } }) => onChange(event.currentTarget.value),
  };
  const { type } = input;
  if (input.enum) return <NativeSelect {...common} data={["", ...input.enum.map(String)]} />;
  if (type === "boolean") return <NativeSelect {...common} data={["", "true", "false"]} />;
  if (type === "number" || type === "integer") return <TextInput {...common} inputMode="decimal" />;
  const placeholder = STRUCTURED.includes(type) ? "as JSON" : undefined;
  return <Textarea {...common} autosize minRows={1} maxRows={12} {...(placeholder ? { placeholder } : {})} />;
}
