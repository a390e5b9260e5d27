import { queryOptions } from "@tanstack/react-query";

import { api } from "./client";

export const agentsQuery = queryOptions({
  queryKey: ["agents"],
  queryFn: ({ signal }) => api.agents(signal),
});
export const statsQuery = queryOptions({ queryKey: ["stats"], queryFn: ({ signal }) => api.stats(signal) });
export const processesQuery = queryOptions({
  queryKey: ["processes"],
  queryFn: ({ signal }) => api.processes(signal),
});
