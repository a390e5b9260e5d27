import { createParser } from "eventsource-parser";

export interface Frame {
  event: string | undefined;
  id: string | undefined;
  data: string;
}

/** A frame may carry a tool result (64 KiB, escaped) or the whole answer again; more than this is no frame of ours. */
const MAX_FRAME = 16 * 1024 * 1024;

/** The frames of a server-sent event stream, in order, until the body ends. Throws what reading the body throws. */
export async function* frames(body: ReadableStream<Uint8Array>): AsyncGenerator<Frame, void, undefined> {
  const ready: Frame[] = [];
  const broken: Error[] = [];
  const parser = createParser({
    maxBufferSize: MAX_FRAME,
    onEvent: ({ event, id, data }) => void ready.push({ event, id, data }),
    onError: (error) => {
      // Unknown fields are to be ignored (WHATWG HTML 9.2.6); only a flooded buffer ends the stream.
      if (error.type === "max-buffer-size-exceeded") broken.push(error);
    },
  });
  const reader = body.getReader();
  const decoder = new TextDecoder();
  try {
    for (;;) {
      const { done, value } = await reader.read();
      if (value) parser.feed(decoder.decode(value, { stream: true }));
      yield* ready.splice(0);
      if (broken[0]) throw broken[0];
      if (done) return;
    }
  } finally {
    await reader.cancel().catch(() => undefined); // already closed or errored: nothing is left to release
  }
}
