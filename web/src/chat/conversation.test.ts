import { afterEach, expect, test, vi } from "vitest";

import { Conversation } from "./conversation";
import { answerText } from "./transcript";

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

/** A stream of an answer that the test writes. */
function written(): { body: ReadableStream<Uint8Array>; say: (frame: object) => void } {
  let writer: ReadableStreamDefaultController<Uint8Array>;
  const body = new ReadableStream<Uint8Array>({ start: (controller) => void (writer = controller) });
  return {
    body,
    say: (frame) => writer.enqueue(new TextEncoder().encode(`data: ${JSON.stringify(frame)}\n\n`)),
  };
}

test("a message that finds an answer under way goes out when that has ended, and opens no second stream", async () => {
  const [running, own] = [written(), written()];
  const opened: string[] = [];
  vi.stubGlobal("fetch", (path: string, init: RequestInit = {}) => {
    const stream = path.includes("/stream");
    if (stream) opened.push(init.method ?? "GET");
    if (stream) {
      const headers = { "Content-Type": "text/event-stream" };
      return Promise.resolve(new Response(init.method === "POST" ? own.body : running.body, { headers }));
    }
    const status = path.endsWith("/status");
    return Promise.resolve(Response.json(status ? { streaming: true, turn_id: "t0", queued: 0 } : []));
  });
  const conversation = new Conversation("assistant", null);
  void conversation.load();
  const sent = conversation.send("and then?");
  await vi.waitFor(() => expect(opened).toEqual(["GET"]));
  running.say({ type: "text_delta", delta: "First." });
  await vi.waitFor(() => expect(conversation.snapshot().transcript).toHaveLength(1));
  expect(conversation.snapshot()).toMatchObject({ phase: "streaming", queued: true });
  expect(opened).toEqual(["GET"]);
  running.say({ type: "done", stop_reason: "end_turn" });
  await vi.waitFor(() => expect(opened).toEqual(["GET", "POST"]));
  own.say({ type: "text_delta", delta: "Second." });
  own.say({ type: "done", stop_reason: "end_turn" });
  await sent;
  const { transcript, phase, queued } = conversation.snapshot();
  expect([phase, queued]).toEqual(["idle", false]);
  expect(transcript.map((entry) => (entry.kind === "answer" ? answerText(entry) : entry.text))).toEqual([
    "First.",
    "and then?",
    "Second.",
  ]);
});

test("a turn that is over when it is taken up again is loaded from the history", async () => {
  const asked: string[] = [];
  vi.stubGlobal("fetch", (path: string) => {
    asked.push(path);
    if (path.includes("/stream")) return Promise.resolve(Response.json({ streaming: false }));
    const first = asked.filter((each) => each.endsWith("/status")).length === 1;
    const said = {
      id: "t0:assistant",
      role: "assistant",
      content: "Done.",
      created_at: "2026-11-23T01:00:00Z",
    };
    const answer = path.endsWith("/status") ? { streaming: first, turn_id: "t0", queued: 0 } : [said];
    return Promise.resolve(Response.json(path.includes("/events/log") ? [] : answer));
  });
  const conversation = new Conversation("assistant", null);
  await conversation.load();
  await vi.waitFor(() => expect(conversation.snapshot().phase).toBe("idle"));
  await vi.waitFor(() => expect(asked.filter((path) => path.endsWith("/status"))).toHaveLength(2));
  await vi.waitFor(() => expect(conversation.snapshot().phase).toBe("idle"));
  expect(conversation.snapshot().transcript).toMatchObject([{ kind: "answer", status: "done" }]);
});
