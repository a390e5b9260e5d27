"""The other side of `isolation="process"`: a program that makes one call of one function, and leaves nothing behind.

    keeper    the program itself: forks the worker and waits for it, or for the host's end of the socket to close,
              which is how it learns that the host was killed; then it kills whatever is left below it
    worker    imports the function's module, makes the call and writes the answer

One request comes over the socket whose descriptor is the only argument, and one answer goes back: four bytes of
length, and JSON. Nothing else is read, so what the function prints cannot be taken for an answer.
"""

from __future__ import annotations

import ctypes
import importlib
import inspect
import os
import runpy
import select
import signal
import socket
import struct
import sys
from contextlib import suppress
from pathlib import Path
from typing import Any, Final

import msgspec

HEADER: Final = struct.Struct(">I")
_PR_SET_CHILD_SUBREAPER: Final = 36
_ROUNDS: Final = 100  # of killing what keeps forking


def main() -> None:
    """Runs one call. The exit status is the worker's."""
    wire = socket.socket(fileno=int(sys.argv[1]))
    with suppress(OSError, AttributeError):
        ctypes.CDLL(None).prctl(_PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)
    worker = os.fork()
    if worker == 0:
        _work(wire)
        os._exit(0)
    status = _keep(worker, wire)
    _kill_children()
    os._exit(status)


# -- the keeper


def _keep(worker: int, wire: socket.socket) -> int:
    """Waits for the worker's end, or the host's. Returns the exit status, 128 + n for a signal."""
    poll = select.poll()
    pidfd = os.pidfd_open(worker)
    poll.register(pidfd, select.POLLIN)
    poll.register(wire.fileno(), select.POLLHUP | select.POLLERR)
    poll.poll()
    done, status = os.waitpid(worker, os.WNOHANG)
    if not done:  # the host is gone
        return 1
    code = os.waitstatus_to_exitcode(status)
    return code if code >= 0 else 128 - code


def _kill_children() -> None:
    """Everything below: what a child leaves behind becomes our child, until there is nothing left."""
    for _ in range(_ROUNDS):
        children = Path(f"/proc/self/task/{os.getpid()}/children").read_text().split()
        if not children:
            return
        for pid in map(int, children):
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
            with suppress(ChildProcessError):
                os.waitpid(pid, 0)


# -- the worker


def _work(wire: socket.socket) -> None:
    request = msgspec.json.decode(_receive(wire))
    answer = msgspec.json.encode(_answer(request))
    wire.sendall(HEADER.pack(len(answer)) + answer)


def _receive(wire: socket.socket) -> bytes:
    (size,) = HEADER.unpack(_exactly(wire, HEADER.size))
    return _exactly(wire, size)


def _exactly(wire: socket.socket, size: int) -> bytes:
    data = b""
    while len(data) < size:
        chunk = wire.recv(size - len(data))
        if not chunk:
            raise EOFError("the host has closed the socket")
        data += chunk
    return data


def _answer(request: dict[str, Any]) -> dict[str, str]:
    """`{"text": ..}`, or what was raised: `{"kind": retry | error | other, "type": .., "message": ..}`."""
    from vega_trio._core.capping import cap
    from vega_trio.errors import ToolError, ToolRetry
    from vega_trio.tools.arguments import Structurer
    from vega_trio.tools.output import as_text
    from vega_trio.tools.schema import read_signature

    try:
        function = _function(request)
        given = Structurer(read_signature(function).hints).structure(request["arguments"])
        return {"text": cap(as_text(_call(function, given)))}
    except ToolRetry as error:
        kind, raised = "retry", error
    except ToolError as error:
        kind, raised = "error", error  # type: ignore[assignment]
    except Exception as error:  # noqa: BLE001 - told to the host, which reports it to the model
        kind, raised = "other", error  # type: ignore[assignment]
    return {"kind": kind, "type": type(raised).__name__, "message": str(raised)}


def _function(request: dict[str, Any]) -> Any:
    """The function that the host means; a program's own file is run under another name than `__main__`."""
    if request["file"]:
        found: Any = runpy.run_path(request["file"], run_name="__vega_isolated__")[request["name"].split(".")[0]]
        rest = request["name"].split(".")[1:]
    else:
        found, rest = importlib.import_module(request["module"]), request["name"].split(".")
    for name in rest:
        found = getattr(found, name)
    return found


def _call(function: Any, given: dict[str, Any]) -> Any:
    if inspect.iscoroutinefunction(function):
        import trio

        async def awaited() -> Any:
            return await function(**given)

        return trio.run(awaited)
    return function(**given)


if __name__ == "__main__":
    main()
