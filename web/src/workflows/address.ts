export function runAddress(workflow: string, run: string): string {
  return `/workflows/${encodeURIComponent(workflow)}/${encodeURIComponent(run)}`;
}
