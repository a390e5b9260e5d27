import { describe, expect, it } from "vitest";

import { ALL, outdatedBy } from "./outdated";

describe("outdatedBy", () => {
  it("names the lists that an event of a family changes", () => {
    expect(outdatedBy(["approval.requested"])).toEqual(new Set(["approvals", "processes"]));
    expect(outdatedBy(["workflow.step_started", "agent.created"])).toContain("run");
  });

  it("names nothing for a family that no page shows", () => {
    expect(outdatedBy(["server.stopping", "llms.silent", "odd"])).toEqual(new Set());
  });

  it("knows every list", () => {
    expect(ALL).toContain("mcp");
    expect(ALL.size).toBeGreaterThan(8);
  });
});
