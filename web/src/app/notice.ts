import type { ServerEvent } from "../api/types";

export interface Notice {
  title: string;
  text: string;
  /** The page that shows it; somebody who is there need not be told. */
  page: string;
  processId?: string;
  bad: boolean;
}

/** What to tell of an event to somebody who looks elsewhere; null for most. */
export function noticeOf(event: ServerEvent): Notice | null {
  const agent = event.agent ?? "A process";
  const word = (name: string): string => {
    const value = event.data?.[name];
    return typeof value === "string" ? value : "";
  };
  switch (event.type) {
    case "approval.requested":
      return {
        title: "Waits for your word",
        text: `${agent} wants to call ${word("tool_name")}.`,
        page: "/approvals",
        bad: false,
      };
    case "supervisor.gave_up":
      return { title: "A supervisor gave up", text: "Its restarts are spent.", page: "/tree", bad: true };
    case "budget.exceeded":
      return { title: "A budget is spent", text: `${agent} may not go on.`, page: "/costs", bad: true };
    case "workflow.failed":
      return {
        title: "A run failed",
        text: `The workflow ${word("workflow")}.`,
        page: "/workflows",
        bad: true,
      };
    case "process.failed":
      if (event.data?.final !== true || word("reason") === "killed") return null;
      return {
        title: `${agent} has ended`,
        text: word("error") || word("reason"),
        page: "/processes",
        ...(event.process_id === undefined ? {} : { processId: event.process_id }),
        bad: true,
      };
    default:
      return event.type.startsWith("alert.")
        ? { title: "Alert", text: word("message"), page: "/overview", bad: true }
        : null;
  }
}
