import { expect, test } from "vitest";

import { type Frame, frames } from "./sse";

const STREAM =
  ': connected\n\nevent: text_delta\ndata: {"delta":"Grüße 🔭"}\nid: t:1\n\ndata: last\nid: t:2\n\n';

async function read(bytes: Uint8Array, size: number): Promise<Frame[]> {
  const body = new ReadableStream<Uint8Array>({
    start(controller) {
      for (let at = 0; at < bytes.length; at += size) controller.enqueue(bytes.slice(at, at + size));
      controller.close();
    },
  });
  const all: Frame[] = [];
  for await (const frame of frames(body)) all.push(frame);
  return all;
}

test.each([1, 2, 3, 7, 10_000])("frames and characters survive being cut every %i bytes", async (size) => {
  expect(await read(new TextEncoder().encode(STREAM), size)).toEqual([
    { event: "text_delta", data: '{"delta":"Grüße 🔭"}', id: "t:1" },
    { event: undefined, data: "last", id: "t:2" },
  ]);
});

test("leaving the loop lets go of the body", async () => {
  let released = false;
  const body = new ReadableStream<Uint8Array>({
    pull: (controller) => controller.enqueue(new TextEncoder().encode("data: x\n\n")),
    cancel: () => {
      released = true;
    },
  });
  for await (const frame of frames(body)) {
    expect(frame.data).toBe("x");
    break;
  }
  expect(released).toBe(true);
});
