import { describe, expect, test } from "vitest";

import { splitBlocks } from "./blocks";

describe("splitBlocks", () => {
  test("cuts at blank lines and loses nothing but them", () => {
    expect(splitBlocks("# Title\n\nOne\ntwo\n\nThree").map((block) => block.trim())).toEqual([
      "# Title",
      "One\ntwo",
      "Three",
    ]);
  });

  test("keeps a fence whole, blank lines and all, also while it is open", () => {
    expect(splitBlocks("```py\na\n\nb\n```\n\nafter")).toHaveLength(2);
    expect(splitBlocks("```py\na\n\nb")).toHaveLength(1);
  });

  test("closes a fence only with one as long", () => {
    expect(splitBlocks("````\n```\n\nstill code\n````\n\nafter")).toHaveLength(2);
  });

  test("keeps the items of a list together, so that they are numbered on", () => {
    expect(splitBlocks("1. one\n\n   more\n\n1. two\n\nafter")).toHaveLength(2);
  });

  test("gives each block the addresses of its reference links", () => {
    const [first] = splitBlocks("See [trio].\n\nMore.\n\n[trio]: https://trio.readthedocs.io");
    expect(first).toContain("[trio]: https://trio.readthedocs.io");
  });

  test("leaves a text with footnotes in one piece", () => {
    expect(splitBlocks("One[^1].\n\nTwo.\n\n[^1]: Note.")).toHaveLength(1);
  });

  test("changes only its last blocks when text is added at the end", () => {
    const text = "One.\n\n- a\n- b\n\n```\ncode\n\nmore\n```\n\nLast paragraph, of some length.";
    for (let end = 1; end < text.length; end += 1) {
      const before = splitBlocks(text.slice(0, end));
      const later = splitBlocks(text.slice(0, end + 1));
      expect(later.slice(0, before.length - 1)).toEqual(before.slice(0, -1));
    }
  });
});
