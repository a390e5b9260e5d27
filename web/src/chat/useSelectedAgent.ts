import { useQuery } from "@tanstack/react-query";
import { useSearchParams } from "wouter";

import { agentsQuery } from "../api/queries";
import type { Agent } from "../api/types";

const FIRST = ["mother", "hermes"];

/** The agents as the sidebar lists them: the two built-in guides first, then in the server's order. */
export function inOrder(agents: readonly Agent[]): Agent[] {
  const guides = FIRST.flatMap((name) => agents.filter((agent) => agent.name === name));
  return [...guides, ...agents.filter((agent) => !FIRST.includes(agent.name))];
}

export function chatAddress(agent: string, session?: string): string {
  return `/?${new URLSearchParams(session === undefined ? { agent } : { agent, session }).toString()}`;
}

/** The session that the address bar asks for; null is the newest open one. */
export function useSelectedSession(): string | null {
  const [search] = useSearchParams();
  return search.get("session");
}

/** The name that the address bar asks for, else the first agent of the program's own; null until there is one. */
export function useSelectedAgent(): string | null {
  const [search] = useSearchParams();
  const { data } = useQuery(agentsQuery);
  const first = data?.find((agent) => agent.source !== "builtin") ?? data?.[0];
  return search.get("agent") ?? first?.name ?? null;
}
