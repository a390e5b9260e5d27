import { describe, expect, it } from "vitest";

import { wanted } from "./filter";

const event = { type: "process.failed", agent: "coder", process_id: "8c1f", data: { error: "RateLimited" } };

describe("wanted", () => {
  it("takes a family by the first part of the type", () => {
    expect(wanted(event, { family: "process", text: "" })).toBe(true);
    expect(wanted(event, { family: "proc", text: "" })).toBe(false);
  });

  it("looks for every word in fields and data", () => {
    expect(wanted(event, { family: "", text: "CODER ratelimited" })).toBe(true);
    expect(wanted(event, { family: "", text: "coder timeout" })).toBe(false);
  });
});
