import { describe, expect, it } from "vitest";

import { readFields, startingFields } from "./inputs";

describe("readFields", () => {
  it("asks for a required input, and leaves an empty optional one to its default", () => {
    const declared = {
      task: { type: "string", required: true },
      tone: { type: "string", required: false, default: "kind" },
    };
    expect(readFields(declared, { task: "  ", tone: "" })).toEqual({
      inputs: {},
      errors: { task: "This input is required." },
    });
  });

  it("reads each type", () => {
    const declared = {
      n: { type: "integer", required: true },
      on: { type: "boolean", required: true },
      all: { type: "array", required: true },
      text: { type: "string", required: true },
      level: { type: "string", required: true, enum: ["low", "high"] },
    };
    const fields = { n: "3", on: "false", all: "[1, 2]", text: "7", level: "high" };
    expect(readFields(declared, fields).inputs).toEqual({
      n: 3,
      on: false,
      all: [1, 2],
      text: "7",
      level: "high",
    });
  });

  it("says what is wrong with each field", () => {
    const declared = {
      n: { type: "integer", required: true },
      x: { type: "number", required: true, max: 5 },
      all: { type: "array", required: true },
      name: { type: "string", required: true, min: 3 },
    };
    expect(readFields(declared, { n: "1.5", x: "6", all: "[", name: "ab" }).errors).toEqual({
      n: "Write a whole number.",
      x: "At most 5.",
      all: "Write it as JSON.",
      name: "At least 3 characters.",
    });
  });
});

describe("startingFields", () => {
  it("shows a default as it would be written", () => {
    expect(
      startingFields({
        a: { type: "any", required: false, default: [1] },
        b: { type: "any", required: true },
      }),
    ).toEqual({
      a: "[\n  1\n]",
      b: "",
    });
  });
});
