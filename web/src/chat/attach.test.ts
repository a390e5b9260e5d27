import { describe, expect, it } from "vitest";

import { fit, MOST_BYTES, MOST_FILES, readFile, together } from "./attach";

describe("fit", () => {
  it("keeps a small image, and scales a large one to the side that models look at", () => {
    expect(fit(800, 600)).toEqual({ width: 800, height: 600 });
    expect(fit(3136, 1568)).toEqual({ width: 1568, height: 784 });
    expect(fit(9000, 1)).toEqual({ width: 1568, height: 1 });
  });
});

describe("readFile", () => {
  it("reads a text as base64, and calls one without a type text", async () => {
    const file = await readFile(new File(["héé"], "notes.unknown"));
    expect(file).toMatchObject({ name: "notes.unknown", mediaType: "text/plain", size: 5, id: null });
    expect(file.data).toBe("aMOpw6k=");
  });

  it("refuses in words what does not fit into a request", async () => {
    const large = new File([new Uint8Array(MOST_BYTES + 1)], "large.csv", { type: "text/csv" });
    await expect(readFile(large)).rejects.toThrow("large.csv has 700 kB; 700 kB can be attached");
  });
});

describe("together", () => {
  const file = (size: number) => ({ id: null, name: "a", mediaType: "text/plain", size, data: "" });

  it("takes what fits, and refuses too much and too many", () => {
    expect(together([file(1)], [file(2)])).toHaveLength(2);
    expect(() => together([file(MOST_BYTES)], [file(1)])).toThrow("together");
    expect(() =>
      together(
        Array.from({ length: MOST_FILES }, () => file(1)),
        [file(1)],
      ),
    ).toThrow("10 files");
  });
});
