import { Button, NativeSelect, TextInput } from "@mantine/core";
import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { type SyntheticEvent, useState } from "react";

import { manage } from "../api/manage";
import { mcpRegistryQuery } from "../api/lists";
import type { McpOffer, NewMcpServer } from "../api/types";
import { Dialog, DialogFoot } from "../ui/Dialog";
import { Problem } from "../ui/Problem";
import classes from "./AddServer.module.css";

const OWN = "";

interface Draft {
  offer: string;
  name: string;
  url: string;
  env: Record<string, string>;
}

/** Connects a server of the registry, by the variables it asks for, or one at an address. */
export function AddServer({ onClose }: { onClose: () => void }) {
  const queries = useQueryClient();
  const registry = useQuery(mcpRegistryQuery);
  const [draft, setDraft] = useState<Draft>({ offer: OWN, name: "", url: "", env: {} });
  const offer = registry.data?.find((each) => each.name === draft.offer);
  const add = useMutation({
    mutationFn: () => manage.addMcpServer(serverOf(draft, offer)),
    onSuccess: () => {
      void queries.invalidateQueries({ queryKey: ["mcp"] });
      onClose();
    },
  });
  const change = (part: Partial<Draft>): void => setDraft({ ...draft, ...part });
  const submit = (event: SyntheticEvent): void => {
    event.preventDefault();
    add.mutate();
  };
  return (
    <Dialog title="Add an MCP server" onClose={onClose}>
      <form className={classes.form} onSubmit={submit}>
        <NativeSelect
          label="Which"
          value={draft.offer}
          onChange={(event) => change({ offer: event.currentTarget.value })}
          data={[
            { value: OWN, label: "One at an address" },
            ...(registry.data ?? []).map((each) => ({ value: each.name, label: each.name })),
          ]}
        />
        {offer ? (
          <Offer offer={offer} env={draft.env} onChange={(env) => change({ env })} />
        ) : (
          <>
            <TextInput
              label="Name"
              required
              value={draft.name}
              onChange={(event) => change({ name: event.currentTarget.value })}
            />
            <TextInput
              label="Address"
              type="url"
              placeholder="https://example.org/mcp"
              required
              value={draft.url}
              onChange={(event) => change({ url: event.currentTarget.value })}
            />
          </>
        )}
        {add.error ? <Problem message={add.error.message} /> : null}
        <DialogFoot>
          <Button variant="default" onClick={onClose}>
            Cancel
          </Button>
          <Button type="submit" loading={add.isPending}>
            Connect
          </Button>
        </DialogFoot>
      </form>
    </Dialog>
  );
}

interface OfferProps {
  offer: McpOffer;
  env: Record<string, string>;
  onChange: (env: Record<string, string>) => void;
}

function Offer({ offer, env, onChange }: OfferProps) {
  const required = offer.required_env ?? [];
  return (
    <>
      <p className={classes.text}>{offer.description}</p>
      {[...required, ...(offer.optional_env ?? [])].map((name) => (
        <TextInput
          key={name}
          label={name}
          type="password"
          autoComplete="off"
          required={required.includes(name)}
          value={env[name] ?? ""}
          onChange={(event) => onChange({ ...env, [name]: event.currentTarget.value })}
        />
      ))}
    </>
  );
}

function serverOf(draft: Draft, offer: McpOffer | undefined): NewMcpServer {
  if (!offer) return { name: draft.name.trim(), transport: "http", url: draft.url.trim() };
  const env = Object.fromEntries(Object.entries(draft.env).filter(([, value]) => value !== ""));
  return { name: offer.name, env };
}
