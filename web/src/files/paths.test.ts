import { expect, it } from "vitest";

import { parents, rawAddress } from "./paths";

it("names the folders above a path, the sandbox first", () => {
  expect(parents(".")).toEqual([{ name: "Sandbox", path: "." }]);
  expect(parents("a/b c")).toEqual([
    { name: "Sandbox", path: "." },
    { name: "a", path: "a" },
    { name: "b c", path: "a/b c" },
  ]);
});

it("writes an address whatever a name holds", () => {
  expect(rawAddress("a b/100%?#.txt")).toBe("/workspace/a%20b/100%25%3F%23.txt");
});
