/** Which of the lists that the pages show an event outdates, by the first part of its type. */
const OUTDATED: Record<string, readonly string[]> = {
  process: ["processes", "spawn-tree", "supervisors", "stats", "agents", "alerts"],
  supervisor: ["supervisors", "processes", "alerts"],
  turn: ["processes", "stats", "costs", "agents", "sessions", "run", "alerts"],
  tool: ["processes", "stats"],
  llm: ["processes"],
  budget: ["costs", "processes", "alerts"],
  breaker: ["alerts"],
  alert: ["alerts"],
  workflow: ["runs", "run", "stats", "costs", "alerts"],
  agent: ["agents", "tools"],
  schedule: ["schedules"],
  setting: ["settings"],
  mcp: ["mcp", "tools"],
  approval: ["approvals", "processes"],
  session: ["sessions"],
};

/** The first elements of the query keys that a batch of events outdates. */
export function outdatedBy(types: Iterable<string>): Set<string> {
  const keys = new Set<string>();
  for (const type of types) {
    const family = type.slice(0, type.indexOf("."));
    for (const key of OUTDATED[family] ?? []) keys.add(key);
  }
  return keys;
}

/** Everything that events tell of, for when some may have been missed. */
export const ALL: ReadonlySet<string> = new Set(Object.values(OUTDATED).flat());
