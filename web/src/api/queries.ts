/** What the chat reads, each under a key that says which events outdate it (`app/outdated.ts`). */

import { queryOptions } from "@tanstack/react-query";

import { api } from "./client";

export const agentsQuery = queryOptions({
  queryKey: ["agents"],
  queryFn: ({ signal }) => api.agents(signal),
});
export const processQuery = (id: string) =>
  queryOptions({ queryKey: ["processes", id], queryFn: ({ signal }) => api.process(id, signal) });
