import { Button } from "@mantine/core";
import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { IconPlugConnected, IconPlus } from "@tabler/icons-react";
import { useState } from "react";

import { calls, perform } from "../api/calls";
import { mcpServersQuery } from "../api/lists";
import type { McpServer } from "../api/types";
import { AsCommand } from "../ui/AsCommand";
import { EmptyState } from "../ui/EmptyState";
import { plural } from "../ui/format";
import { Page } from "../ui/Page";
import { Problem } from "../ui/Problem";
import { Remote } from "../ui/Remote";
import { Card } from "../ui/Section";
import { StatusDot } from "../ui/StatusDot";
import { AddServer } from "./AddServer";
import classes from "./McpPage.module.css";

/** The MCP servers this server speaks to, and their tools. */
export default function McpPage() {
  const servers = useQuery(mcpServersQuery);
  const [adding, setAdding] = useState(false);
  return (
    <Page
      title="MCP servers"
      aside={
        <Button size="compact-md" leftSection={<IconPlus size={15} />} onClick={() => setAdding(true)}>
          Add server
        </Button>
      }
    >
      <Remote query={servers} height={200}>
        {(all) =>
          all.length === 0 ? (
            <EmptyState icon={<IconPlugConnected size={22} />} title="No MCP servers">
              Add one, or define it under <code>settings.mcp.servers</code> in your document.
            </EmptyState>
          ) : (
            all.map((server) => <Server key={server.name} server={server} />)
          )
        }
      </Remote>
      {adding ? <AddServer onClose={() => setAdding(false)} /> : null}
    </Page>
  );
}

export function Server({ server }: { server: McpServer }) {
  const queries = useQueryClient();
  const [asking, setAsking] = useState(false);
  const act = useMutation({
    mutationFn: perform,
    onSettled: () => queries.invalidateQueries({ queryKey: ["mcp"] }),
  });
  const { name, disabled = false, changed = [] } = server;
  return (
    <Card padded>
      <article className={classes.server} aria-label={name}>
        <header className={classes.head}>
          <h2>
            <StatusDot status={disabled ? "idle" : server.connected ? "running" : "failed"} />
            {name}
            <span className={classes.state}>{stateOf(server)}</span>
          </h2>
          <div className={classes.actions}>
            <Button
              size="compact-sm"
              variant="default"
              disabled={disabled || act.isPending}
              onClick={() => act.mutate(calls.refreshMcpServer(name))}
            >
              Refresh
            </Button>
            <Button
              size="compact-sm"
              variant="default"
              disabled={act.isPending}
              onClick={() => act.mutate(calls.disableMcpServer(name, !disabled))}
            >
              {disabled ? "Enable" : "Disable"}
            </Button>
            {asking ? (
              <>
                <Button
                  size="compact-sm"
                  color="red.9"
                  autoFocus
                  onClick={() => act.mutate(calls.removeMcpServer(name))}
                >
                  Remove for good
                </Button>
                <Button size="compact-sm" variant="default" onClick={() => setAsking(false)}>
                  Keep
                </Button>
              </>
            ) : (
              <Button size="compact-sm" variant="default" onClick={() => setAsking(true)}>
                Remove
              </Button>
            )}
          </div>
        </header>
        <p className={classes.where}>
          {[server.transport, server.url ?? server.command].filter(Boolean).join(" · ")}
        </p>
        {server.error ? <Problem message={server.error} /> : null}
        {act.error ? <Problem message={act.error.message} /> : null}
        {changed.length > 0 ? (
          <div className={classes.changed}>
            <p>
              Since they were approved, the definitions of {changed.join(", ")} have changed. Nobody can call
              them until you have looked at them and approve.
            </p>
            <Button
              size="compact-sm"
              disabled={act.isPending}
              onClick={() => act.mutate(calls.approveTools(name))}
            >
              Approve changed tools
            </Button>
          </div>
        ) : null}
        {server.tools.length > 0 ? (
          <ul className={classes.tools} aria-label={`Tools of ${name}`}>
            {server.tools.map((tool) => (
              <li key={tool}>
                <code>{tool}</code>
              </li>
            ))}
          </ul>
        ) : null}
        <AsCommand
          calls={[
            ...(changed.length > 0 ? [calls.approveTools(name)] : []),
            calls.refreshMcpServer(name),
            calls.disableMcpServer(name, !disabled),
            calls.removeMcpServer(name),
          ]}
        />
      </article>
    </Card>
  );
}

function stateOf(server: McpServer): string {
  if (server.disabled) return "disabled";
  const restarts = server.restarts ? `, ${plural(server.restarts, "restart")}` : "";
  return (server.connected ? "connected" : "not connected") + restarts;
}
