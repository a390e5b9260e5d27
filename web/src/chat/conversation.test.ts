import { afterEach, expect, test, vi } from "vitest";

import { Conversation } from "./conversation";

afterEach(() => vi.unstubAllGlobals());

/** A server whose chat stream is written by the test; `asked` are the paths that were asked for. */
function server(): { asked: string[]; say: (frame: object) => void; end: () => void } {
  const asked: string[] = [];
  let writer: ReadableStreamDefaultController<Uint8Array>;
  const body = new ReadableStream<Uint8Array>({ start: (controller) => void (writer = controller) });
  vi.stubGlobal("fetch", (path: string) => {
    asked.push(path);
    const answer = path.includes("/stream") ? body : '{"status": "stopping"}';
    return Promise.resolve(new Response(answer, { headers: { "Content-Type": "text/event-stream" } }));
  });
  const say = (frame: object): void =>
    writer.enqueue(new TextEncoder().encode(`data: ${JSON.stringify(frame)}\n\n`));
  return { asked, say, end: () => writer.close() };
}

test("a stop that comes before the turn has begun is sent when there is something to stop", async () => {
  const { asked, say, end } = server();
  const conversation = new Conversation("assistant", null);
  const sent = conversation.send("slow please");
  await vi.waitFor(() => expect(conversation.snapshot().phase).toBe("streaming"));
  await conversation.stop();
  expect(asked.filter((path) => path.endsWith("/stop"))).toEqual([]);
  say({ type: "turn_start", turn_id: "t1" });
  await vi.waitFor(() => expect(asked.filter((path) => path.endsWith("/stop"))).toHaveLength(1));
  say({ type: "done", stop_reason: "cancelled" });
  end();
  await sent;
  expect(conversation.snapshot()).toMatchObject({ phase: "idle", stopping: false });
});
