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

/** The name that the address bar asks for, else the first agent; null until the list is known, or if it is empty. */
export function useSelectedAgent(): string | null {
  const [search] = useSearchParams();
  const { data } = useQuery(agentsQuery);
  return search.get("agent") ?? (data ? (inOrder(data)[0]?.name ?? null) : null);
}
