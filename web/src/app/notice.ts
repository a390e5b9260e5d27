import type { ServerEvent } from "../api/types";
import { processAddress } from "../processes/process";
import { runAddress } from "../workflows/address";

export interface Notice {
  title: string;
  text: string;
  /** The list that shows it among others, and where it is looked at: who is at either need not be told. */
  page: string;
  address: string;
  bad: boolean;
}

/** What to tell of an event to somebody who looks elsewhere; null for most. */
export function noticeOf(event: ServerEvent): Notice | null {
  const agent = event.agent ?? "A process";
  const word = (name: string): string => {
    const value = event.data?.[name];
    return typeof value === "string" ? value : "";
  };
  const bad = (title: string, text: string, page: string, address = page): Notice => ({
    title,
    text,
    page,
    address,
    bad: true,
  });
  switch (event.type) {
    case "approval.requested": {
      const text = `${agent} wants to call ${word("tool_name")}.`;
      return { ...bad("Waits for your word", text, "/approvals"), bad: false };
    }
    case "supervisor.gave_up":
      return bad("A supervisor gave up", "Its restarts are spent.", "/tree");
    case "budget.exceeded": {
      const text = event.data?.blocked === false ? `${agent} goes on.` : `${agent} may not go on.`;
      return bad("A budget is spent", text, "/costs");
    }
    case "workflow.failed": {
      const workflow = word("workflow");
      return bad(
        "A run failed",
        `The workflow ${workflow}.`,
        "/workflows",
        runAddress(workflow, word("run_id")),
      );
    }
    case "process.failed": {
      if (event.data?.final !== true || word("reason") === "killed") return null;
      const address = event.process_id === undefined ? "/processes" : processAddress(event.process_id);
      return bad(`${agent} has ended`, word("error") || word("reason"), "/processes", address);
    }
    default:
      return event.type.startsWith("alert.") ? bad("Alert", word("message"), "/overview") : null;
  }
}

/** Whether a place is one where the notice's event is seen anyway. */
export function isSeenAt(location: string, { page, address }: Notice): boolean {
  return location === page || location === address || location === decodeURI(address);
}
