"""A model server that does next to nothing, so that what is measured is its clients: Messages API, chat completions.

`python turn_server.py` prints its address and serves until its input ends. The model's name says what it answers:

    plain      "Hello there."
    deltas     a hundred text deltas, each in a packet of its own
    tools      a call of `add`, until there are five results; then "Done."

with `-20ms` behind it, after that time.
"""

from __future__ import annotations

import sys
from functools import partial
from typing import Any

import msgspec
import trio

from vega_trio.messages import ToolCall
from vega_trio.testing.fake_chat import chat_frames, whole_chat
from vega_trio.testing.fake_replies import FakeReply, event_frames, whole_body

PLAIN, DONE = FakeReply("Hello there."), FakeReply("Done.")
DELTAS = FakeReply("word " * 100)


def reply_to(body: dict[str, Any]) -> FakeReply:
    kind = body["model"].partition("-")[0]
    if kind == "deltas":
        return DELTAS
    if kind == "plain":
        return PLAIN
    results = sum(
        each["role"] == "tool" or sum(part.get("type") == "tool_result" for part in _parts(each["content"]))
        for each in body["messages"]
    )
    return FakeReply(ToolCall(f"t{results}", "add", {"a": results, "b": 1})) if results < 5 else DONE


def _parts(content: Any) -> list[dict[str, Any]]:
    return content if isinstance(content, list) else []


def packets(reply: FakeReply, *, stream: bool, chat: bool) -> list[bytes]:
    """The response, one packet for the head and a short body, one each for many frames."""
    if not stream:
        whole = whole_chat(reply, "m") if chat else whole_body(reply, "m")
        head = f"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: {len(whole)}\r\n\r\n"
        return [head.encode() + whole]
    head = b"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\ntransfer-encoding: chunked\r\n\r\n"
    frames = chat_frames(reply, "m", counted=True) if chat else event_frames(reply, "m")
    chunks = [f"{len(frame):x}\r\n".encode() + frame + b"\r\n" for frame in frames] + [b"0\r\n\r\n"]
    return [head, *chunks] if len(chunks) > 20 else [head + b"".join(chunks)]


async def serve(stream: trio.SocketStream) -> None:
    data = bytearray()
    ready: dict[tuple[int, bool, bool], list[bytes]] = {}
    async with stream:
        while True:
            while (end := data.find(b"\r\n\r\n")) < 0:
                if not await _more(stream, data):
                    return
            chat = data.find(b"/chat/completions", 0, end) >= 0
            length = int(bytes(data[:end]).lower().partition(b"content-length:")[2].split(b"\r\n")[0])
            while len(data) < end + 4 + length:
                if not await _more(stream, data):
                    return
            body = msgspec.json.decode(bytes(data[end + 4 : end + 4 + length]))
            del data[: end + 4 + length]
            delay = body["model"].partition("-")[2]
            if delay:
                await trio.sleep(float(delay.removesuffix("ms")) / 1000)
            reply, streams = reply_to(body), bool(body.get("stream"))
            key = (id(reply), streams, chat)
            kept = any(reply is each for each in (PLAIN, DONE, DELTAS))
            answer = ready.get(key) if kept else packets(reply, stream=streams, chat=chat)
            if answer is None:
                answer = ready[key] = packets(reply, stream=streams, chat=chat)
            for packet in answer:
                await stream.send_all(packet)


async def _more(stream: trio.SocketStream, data: bytearray) -> bool:
    try:
        received = await stream.receive_some(65536)
    except trio.BrokenResourceError:
        return False
    data += received
    return bool(received)


async def _guarded(stream: trio.SocketStream) -> None:
    try:
        await serve(stream)
    except trio.BrokenResourceError:
        return  # the client has what it wanted


async def main() -> None:
    async with trio.open_nursery() as nursery:
        serving = partial(trio.serve_tcp, _guarded, 0, host="127.0.0.1", backlog=2048)
        listeners = await nursery.start(serving)
        print(f"http://127.0.0.1:{listeners[0].socket.getsockname()[1]}", flush=True)
        await trio.to_thread.run_sync(sys.stdin.read, abandon_on_cancel=True)
        nursery.cancel_scope.cancel()


if __name__ == "__main__":
    trio.run(main)
