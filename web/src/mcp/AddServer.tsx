import { NativeSelect, TextInput } from "@mantine/core";
import { useQuery } from "@tanstack/react-query";
import { useState } from "react";

import { calls } from "../api/calls";
import { mcpRegistryQuery } from "../api/lists";
import type { McpOffer, NewMcpServer } from "../api/types";
import { FormDialog } from "../ui/FormDialog";
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
  const registry = useQuery(mcpRegistryQuery);
  const [draft, setDraft] = useState<Draft>({ offer: OWN, name: "", url: "", env: {} });
  const offer = registry.data?.find((each) => each.name === draft.offer);
  const change = (part: Partial<Draft>): void => setDraft({ ...draft, ...part });
  const server = serverOf(draft, offer);
  const secret = Object.keys(server.env ?? {}).map((name) => [name, `(the value of ${name})`]);
  const shown = server.env
    ? { ...server, env: Object.fromEntries(secret) as Record<string, string> }
    : server;
  return (
    <FormDialog
      title="Add an MCP server"
      action="Connect"
      call={calls.addMcpServer(server)}
      shown={calls.addMcpServer(shown)}
      outdates="mcp"
      onClose={onClose}
    >
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
    </FormDialog>
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
