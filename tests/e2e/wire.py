"""Plain HTTP over Trio for servers that die at any byte: what was received, and whether it was all."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from typing import Any

import attrs
import h11
import trio


class Gone(Exception):
    """The server is not there, or died in the middle."""


@attrs.define(eq=False)
class Answer:
    status: int
    _stream: trio.SocketStream
    _http: h11.Connection

    async def body(self) -> bytes:
        """All of it. Raises: Gone when it is cut."""
        data = b""
        while isinstance(event := await _next(self._stream, self._http), h11.Data):
            data += bytes(event.data)
        return data

    async def frames(self, each: Callable[[str, dict[str, Any], str], bool]) -> None:
        """Calls with the event, data and id of every server-sent event until it says False. Raises: Gone."""
        text = ""
        while True:
            event = await _next(self._stream, self._http)
            if not isinstance(event, h11.Data):
                return
            text += bytes(event.data).decode()
            *blocks, text = text.split("\n\n")
            for block in blocks:
                fields = dict(line.split(": ", 1) for line in block.split("\n") if not line.startswith(":"))
                if fields and not each(fields["event"], json.loads(fields["data"]), fields.get("id", "")):
                    return


async def _next(stream: trio.SocketStream, http: h11.Connection) -> Any:
    try:
        while (event := http.next_event()) is h11.NEED_DATA:
            http.receive_data(await stream.receive_some(65536))
    except (trio.BrokenResourceError, h11.RemoteProtocolError) as error:
        raise Gone from error
    if isinstance(event, h11.ConnectionClosed):
        raise Gone
    return event


@asynccontextmanager
async def asking(
    url: str, path: str, body: object = None, headers: Mapping[str, str] | None = None
) -> AsyncIterator[Answer]:
    """The head of the answer to one request, a POST when there is a body. Raises: Gone."""
    host, _, port = url.removeprefix("http://").rpartition(":")
    data = b"" if body is None else json.dumps(body).encode()
    named = {"host": f"{host}:{port}", "connection": "close", "content-length": str(len(data)), **(headers or {})}
    if data:
        named["content-type"] = "application/json"
    http = h11.Connection(h11.CLIENT)
    request = h11.Request(method="POST" if data else "GET", target=path, headers=list(named.items()))
    try:
        stream = await trio.open_tcp_stream("127.0.0.1", int(port))
    except OSError as error:
        raise Gone from error
    async with stream:
        try:
            await stream.send_all(b"".join(http.send(part) or b"" for part in (request, h11.Data(data))))
            await stream.send_all(http.send(h11.EndOfMessage()) or b"")
        except trio.BrokenResourceError as error:
            raise Gone from error
        head = await _next(stream, http)
        yield Answer(head.status_code, stream, http)


async def fetch(url: str, path: str, body: object = None) -> tuple[int, Any]:
    """The status and the decoded body. Raises: Gone."""
    async with asking(url, path, body) as answer:
        return answer.status, json.loads(await answer.body())
