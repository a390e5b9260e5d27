"""A real server on a real socket, and clients for it."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Callable, Iterable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from functools import partial
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import attrs
import h11
import httpx
import pytest
import trio
from stream_rules import broken_rules

from vega_trio.app.disk import Disk
from vega_trio.app.open import App, open_app
from vega_trio.app.tokens import Tokens
from vega_trio.dsl.document import ApprovalsDefinition
from vega_trio.dsl.parse import parse_document
from vega_trio.mcp_server.mount import open_mount
from vega_trio.protocols import Model, Store
from vega_trio.serve.door import Door
from vega_trio.serve.exchange import user_of_scope
from vega_trio.serve.guard import open_policy
from vega_trio.serve.listener import Address, open_listener
from vega_trio.serve.server import run
from vega_trio.testing import ScriptedModel

OPERATOR = "operator-token-of-the-tests-0123456789"
"""The secret in the home's file, where a token is asked for."""

DOCUMENT = """
name: served
agents:
  assistant:
    system: You help.
    description: Helps with anything.
    tools: [{tools}]
  reviewer:
    system: You review.
workflows:
  review:
    description: Write and review.
    inputs:
      task:
        type: string
        description: What to write.
        required: true
      rounds:
        type: integer
        default: 1
        min: 1
    steps:
      - assistant:
          send: "Write {{{{task}}}}"
          save: draft
      - reviewer:
          send: "Review {{{{draft}}}}"
          save: verdict
    output: "{{{{verdict}}}}"
settings:
  default_model: scripted
"""


@attrs.frozen
class Frame:
    """One server-sent event."""

    event: str
    data: dict[str, Any]
    id: str


@attrs.define(eq=False)
class Stream:
    """The frames of one answer as they come. `comments` collects the lines that are none."""

    _socket: trio.SocketStream
    _http: h11.Connection
    status: int = 0
    headers: dict[str, str] = attrs.field(factory=dict)
    comments: list[str] = attrs.field(factory=list)
    _text: str = ""

    def __aiter__(self) -> Stream:
        return self

    async def __anext__(self) -> Frame:
        while True:
            block, found, rest = self._text.partition("\n\n")
            if not found:
                data = await self.read()
                if not data:
                    raise StopAsyncIteration
                self._text += data.decode()
                continue
            self._text = rest
            if block.startswith(":"):
                self.comments.append(block)
                continue
            fields = dict(line.split(": ", 1) for line in block.split("\n"))
            return Frame(fields.get("event", ""), json.loads(fields["data"]), fields.get("id", ""))

    async def begin(self) -> None:
        """Waits for the head of the answer."""
        answer = await self._event()
        self.status = answer.status_code
        self.headers = {name.decode(): value.decode() for name, value in answer.headers}

    async def read(self) -> bytes:
        """The next piece of the body, empty at its end. Raises: h11.RemoteProtocolError when it is cut."""
        event = await self._event()
        return bytes(event.data) if isinstance(event, h11.Data) else b""

    async def _event(self) -> Any:
        while True:
            event = self._http.next_event()
            if event is not h11.NEED_DATA:
                return event
            self._http.receive_data(await self._socket.receive_some(65536))


@attrs.define
class Served:
    """A running server. Closing it sets `stop`, as a signal would, and waits until it is down."""

    app: App
    port: int
    stop: trio.Event
    down: trio.Event
    http: httpx.AsyncClient
    door: Door
    operator: dict[str, str] = attrs.field(factory=lambda: {"authorization": f"Bearer {OPERATOR}"})

    async def chat(self, message: str, agent: str = "assistant", **query: str) -> list[Frame]:
        """Asks and reads the whole stream, which keeps the rules of streams."""
        async with self.streaming(message, agent, **query) as stream:
            frames = [frame async for frame in stream]
        assert broken_rules(frames, int(query.get("v", 1))) == []
        return frames

    def streaming(self, message: str, agent: str = "assistant", **query: str) -> AbstractAsyncContextManager[Stream]:
        """The chat stream."""
        return self._stream("POST", f"/api/agents/{agent}/chat/stream", query, {}, {"message": message})

    def joining(
        self, agent: str = "assistant", headers: dict[str, str] | None = None, **query: str
    ) -> AbstractAsyncContextManager[Stream]:
        """The stream of the turn under way."""
        return self._stream("GET", f"/api/agents/{agent}/chat/stream", query, headers or {}, None)

    def running(
        self, sent: dict[str, Any], agent: str = "assistant", headers: dict[str, str] | None = None
    ) -> AbstractAsyncContextManager[Stream]:
        """The stream of an AG-UI run."""
        return self._stream("POST", f"/api/agents/{agent}/ag-ui", {}, headers or {}, sent)

    def getting(self, path: str, headers: dict[str, str] | None = None) -> AbstractAsyncContextManager[Stream]:
        """Any stream."""
        return self._stream("GET", path, {}, headers or {}, None)

    @asynccontextmanager
    async def listening(self, headers: dict[str, str] | None = None, **query: str) -> AsyncIterator[Stream]:
        """The event stream; what happens from now on will be in it."""
        async with self._stream("GET", "/api/events", query, headers or {}, None) as stream:
            yield stream

    @asynccontextmanager
    async def _stream(
        self, method: str, path: str, query: dict[str, str], headers: dict[str, str], body: object
    ) -> AsyncIterator[Stream]:
        data = json.dumps(body).encode() if body is not None else b""
        named = {"host": f"127.0.0.1:{self.port}", "content-length": str(len(data)), **headers}
        if data:
            named["content-type"] = "application/json"
        target = f"{path}?{urlencode(query)}" if query else path
        connection = h11.Connection(h11.CLIENT)
        request = h11.Request(method=method, target=target, headers=list(named.items()))
        parts = (request, h11.Data(data), h11.EndOfMessage())
        socket = await trio.open_tcp_stream("127.0.0.1", self.port)
        async with socket:
            await socket.send_all(b"".join(connection.send(part) or b"" for part in parts))
            stream = Stream(socket, connection)
            await stream.begin()
            assert stream.status == 200, await stream.read()
            assert stream.headers["content-type"].startswith("text/event-stream")
            yield stream

    async def raw(self, data: bytes) -> bytes:
        """Sends bytes and reads until the server closes."""
        stream = await trio.open_tcp_stream("127.0.0.1", self.port)
        async with stream:
            await stream.send_all(data)
            return b"".join([chunk async for chunk in stream])


Serving = Callable[..., AbstractAsyncContextManager[Served]]


@pytest.fixture
def serving(tmp_path: Path) -> Serving:
    """`async with serving(model) as served`: an application of two agents and a workflow, served on port 0."""
    return partial(_serving, tmp_path)


@asynccontextmanager
async def _serving(
    home: Path,
    model: Model | Iterable[Any] = (),
    *,
    tools: Iterable[Any] = (),
    store: Path | Store | None = None,
    limits: dict[str, float] | None = None,
    approvals: dict[str, Any] | None = None,
    shutdown_timeout: float = 5.0,
    token: bool = False,
    read_only: bool = False,
    meta: bool = False,
) -> AsyncIterator[Served]:
    tools = list(tools)
    path = home / "served.vega.yaml"
    names = [tool.__name__ for tool in tools]
    path.write_text(DOCUMENT.format(tools=", ".join(names)))
    document = parse_document(str(path), Disk(), env={}, tools=names).document
    asking = ApprovalsDefinition(**approvals or {})
    document = attrs.evolve(document, settings=attrs.evolve(document.settings, limits=limits or {}, approvals=asking))
    chosen = model if hasattr(model, "stream") else ScriptedModel(model)
    opening = open_app(
        document,
        model=chosen,
        store=store,
        tools=tools,
        env={},
        home=home,
        shutdown_timeout=1,
        resume=False,
        meta=meta,
    )
    async with opening as app:
        async with trio.open_nursery() as nursery:
            served = await nursery.start(_serve, app, shutdown_timeout, token, read_only)
            async with served.http:
                yield served
            served.stop.set()


async def _serve(
    app: App, shutdown_timeout: float, token: bool, read_only: bool, *, task_status: trio.TaskStatus[Served]
) -> None:
    listener = open_listener(Address("127.0.0.1", 0))
    port = listener.getsockname()[1]
    stop, down = trio.Event(), trio.Event()
    http = httpx.AsyncClient(base_url=f"http://127.0.0.1:{port}", timeout=10, trust_env=False)
    policy = open_policy(port, [], ["https://app.example.com"], 1024 * 1024)
    tokens = Tokens(app.store)
    await tokens.load(OPERATOR if token else None)
    door = Door("token" if token else "local", tokens, port, read_only)
    ready = partial(task_status.started, Served(app, port, stop, down, http, door))
    async with open_mount(app, user_of_scope) as mcp:
        await run(app, listener, policy, door, on_ready=ready, stop=stop, shutdown_timeout=shutdown_timeout, mcp=mcp)
    down.set()
