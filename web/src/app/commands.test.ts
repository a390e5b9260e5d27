import { expect, test } from "vitest";

import { type Command, found } from "./commands";

const run = (): void => undefined;
const all: Command[] = [
  { key: "/tree", kind: "page", label: "Tree", run },
  { key: "a", kind: "chat", label: "assistant", run },
  { key: "b", kind: "process", label: "assistant 12ab", run },
  { key: "c", kind: "process", label: "my street 34cd", run },
];
const keys = (text: string): string[] => found(all, text).map((each) => each.key);

test("everything is offered to somebody who has not written yet", () => {
  expect(keys("")).toEqual(["/tree", "a", "b", "c"]);
});

test("each word must be in the name or the kind", () => {
  expect(keys("process ASSIST")).toEqual(["b"]);
  expect(keys("nowhere")).toEqual([]);
});

test("names that begin with the text come first", () => {
  expect(keys("tree")).toEqual(["/tree", "c"]);
});
