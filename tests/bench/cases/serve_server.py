"""A server for the benchmark: `python serve_server.py ours|bare`. Prints its port.

A line on stdin, `COUNT`, has it emit that many events at once. `bare` is Starlette on uvicorn doing the same: one queue
for each subscriber, an event encoded once for all.
"""

from __future__ import annotations

import resource
import sys

EVENT = {"kind": "bench", "message": "x" * 60}
SUBSCRIBERS = 20_000


def ours() -> None:
    import attrs
    import trio

    from vega_trio.app.disk import Disk
    from vega_trio.app.open import open_app
    from vega_trio.dsl.parse import parse_text
    from vega_trio.events import HealthAlert
    from vega_trio.serve.door import Door
    from vega_trio.serve.guard import open_policy
    from vega_trio.serve.listener import Address, open_listener
    from vega_trio.serve.server import run
    from vega_trio.testing import ScriptedModel

    async def main() -> None:
        text = b"agents: {a: {system: s}}\nsettings: {default_model: demo}"
        document = parse_text(text, "bench.vega.yaml", Disk(), env={}).document
        limits = {"subscribers": SUBSCRIBERS, "connections": SUBSCRIBERS}
        document = attrs.evolve(document, settings=attrs.evolve(document.settings, limits=limits))
        async with open_app(document, model=ScriptedModel([]), env={}) as app, trio.open_nursery() as nursery:
            listener = open_listener(Address("127.0.0.1", 0))
            port = listener.getsockname()[1]
            stop = trio.Event()

            async def obey() -> None:
                while line := await trio.to_thread.run_sync(sys.stdin.readline, abandon_on_cancel=True):
                    for _ in range(int(line)):
                        app.orch.bus.emit(HealthAlert(**EVENT))
                stop.set()

            nursery.start_soon(obey)
            await run(
                app,
                listener,
                open_policy(port, [], [], 1 << 20),
                Door(port=port),
                on_ready=lambda: print(port, flush=True),
                stop=stop,
                shutdown_timeout=0.1,
            )

    trio.run(main)


def bare() -> None:
    import asyncio
    import json
    import socket
    from collections.abc import AsyncIterator

    import uvicorn
    from starlette.applications import Starlette
    from starlette.requests import Request
    from starlette.responses import JSONResponse, StreamingResponse
    from starlette.routing import Route

    queues: list[asyncio.Queue[bytes]] = []

    async def stats(request: Request) -> JSONResponse:
        return JSONResponse({"total_processes": 0, "uptime": "1s"})

    async def events(request: Request) -> StreamingResponse:
        queue: asyncio.Queue[bytes] = asyncio.Queue()
        queues.append(queue)

        async def body() -> AsyncIterator[bytes]:
            yield b": connected\n\n"
            while True:
                chunk = [await queue.get()]
                while not queue.empty():
                    chunk.append(queue.get_nowait())
                yield b"".join(chunk)

        return StreamingResponse(body(), media_type="text/event-stream")

    async def main() -> None:
        app = Starlette(routes=[Route("/healthz", stats), Route("/api/events", events)])
        listener = socket.create_server(("127.0.0.1", 0), backlog=1024)
        listener.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        server = uvicorn.Server(uvicorn.Config(app, log_level="error", timeout_graceful_shutdown=1))
        task = asyncio.create_task(server.serve([listener]))
        print(listener.getsockname()[1], flush=True)
        number = 0
        while line := await asyncio.to_thread(sys.stdin.readline):
            for _ in range(int(line)):
                number += 1
                data = json.dumps({"type": "alert.bench", "data": EVENT, "timestamp": "2026-11-22T10:15:30.120Z"})
                frame = f"event: alert.bench\ndata: {data}\nid: {number}\n\n".encode()
                for queue in queues:
                    queue.put_nowait(frame)
        server.should_exit = True
        await task

    asyncio.run(main())


if __name__ == "__main__":
    hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    {"ours": ours, "bare": bare}[sys.argv[1]]()
