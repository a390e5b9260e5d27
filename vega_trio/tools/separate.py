"""The host's side of `isolation="process"`: a call in a process of its own, which a cancel ends for certain."""

from __future__ import annotations

import logging
import math
import os
import socket
import sys
from collections.abc import Callable, Mapping
from contextlib import ExitStack
from typing import Any, Final

import attrs
import msgspec
import trio

from vega_trio.errors import ToolError, ToolRetry
from vega_trio.tools.isolated import HEADER
from vega_trio.tools.process import Command, Finished, run_process

log = logging.getLogger("vega_trio.tools")

MAX_ANSWER: Final = 16 * 1024 * 1024
CRASHED: Final = "tool crashed"


@attrs.frozen
class Target:
    """Where another process finds a function. `file` is the program's own, when the function is defined in it."""

    module: str
    name: str
    file: str = ""


def check_reachable(function: Callable[..., Any]) -> None:
    """Raises: ValueError for a function that no other process could find by its name."""
    name = getattr(function, "__qualname__", "")
    if not name or "<" in name or not hasattr(function, "__module__"):
        raise ValueError(
            f"a tool with isolation='process' must be a function of a module, and {name or function!r} is none; "
            "define it at the top of its file"
        )


def target_of(function: Callable[..., Any]) -> Target:
    """Raises: ValueError as above, and when the name in its module is something else."""
    check_reachable(function)
    module, name = function.__module__, function.__qualname__
    found: Any = sys.modules.get(module)
    for part in name.split("."):
        found = getattr(found, part, None)
    if found is not function:
        raise ValueError(
            f"a tool with isolation='process' must be what its module calls {name!r}; in {module} that is {found!r}"
        )
    main = sys.modules.get("__main__")
    if module != "__main__":
        return Target(module, name)
    spec = getattr(main, "__spec__", None)
    return Target(spec.name, name) if spec is not None else Target(module, name, str(getattr(main, "__file__", "")))


async def call_apart(target: Target, arguments: Mapping[str, Any]) -> str:
    """The text that the function gives. Cancelling kills its process and all that it started.

    Raises: ToolRetry and ToolError as the function does, any other exception of its as a ToolError that names it;
        ToolError when the process dies, or floods.
    """
    request = msgspec.json.encode({**attrs.asdict(target), "arguments": dict(arguments)})
    with ExitStack() as stack:
        ours, theirs = socket.socketpair()
        stack.callback(ours.close)
        stack.callback(theirs.close)
        command = Command(
            argv=[sys.executable, "-m", "vega_trio.tools.isolated", str(theirs.fileno())],
            env={**os.environ, "PYTHONPATH": os.pathsep.join(each for each in sys.path if each)},
            pass_fds=(theirs.fileno(),),
        )
        wire = trio.SocketStream(trio.socket.from_stdlib_socket(ours))
        answer = bytearray()
        async with trio.open_nursery() as nursery:
            nursery.start_soon(_exchange, wire, request, answer, nursery.cancel_scope)
            finished = await run_process(command, math.inf)
            theirs.close()  # with the process's own end gone, this is the last: the exchange comes to its end
        return _read(bytes(answer), finished, target)


async def _exchange(wire: trio.SocketStream, request: bytes, answer: bytearray, scope: trio.CancelScope) -> None:
    try:
        await wire.send_all(HEADER.pack(len(request)) + request)
        async for chunk in wire:
            answer += chunk
            if len(answer) > MAX_ANSWER:
                scope.cancel()
    except trio.BrokenResourceError:
        return  # it died; what it has said until then shows that


def _read(answer: bytes, finished: Finished, target: Target) -> str:
    size = HEADER.unpack(answer[: HEADER.size])[0] if len(answer) >= HEADER.size else -1
    if len(answer) != HEADER.size + size:
        said = finished.text().strip()[-2000:]
        log.warning("%s.%s crashed (status %s): %s", target.module, target.name, finished.status, said)
        raise ToolError(CRASHED)
    told = msgspec.json.decode(answer[HEADER.size :])
    match told:
        case {"text": text}:
            return str(text)
        case {"kind": "retry", "message": message}:
            raise ToolRetry(message)
        case {"kind": "error", "message": message}:
            raise ToolError(message)
        case _:
            raise ToolError(f"{told['type']}: {told['message']}")
