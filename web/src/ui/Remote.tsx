import { Skeleton } from "@mantine/core";
import type { UseQueryResult } from "@tanstack/react-query";
import type { ReactNode } from "react";

import { Problem } from "./Problem";

interface RemoteProps<T> {
  query: UseQueryResult<T>;
  /** The height of the placeholder while it loads. */
  height?: number;
  children: (data: T) => ReactNode;
}

/** What the server told, or that it is awaited, or why it did not tell and a button to ask again. */
export function Remote<T>({ query, height = 120, children }: RemoteProps<T>) {
  if (query.data !== undefined) return children(query.data);
  if (query.error) {
    const hint = "hint" in query.error && typeof query.error.hint === "string" ? query.error.hint : null;
    const retry = { label: "Try again", run: () => void query.refetch() };
    return <Problem message={query.error.message} hint={hint} action={retry} />;
  }
  return <Skeleton height={height} radius="lg" />;
}
