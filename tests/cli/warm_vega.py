"""A program that has imported vega and forks for each call, which saves every call the import.

    python warm_vega.py < REQUESTS

A line of JSON asks for a call: `{"id", "args", "cwd", "env", "stdin", "stdout", "stderr"}`, the last two paths of files
to write. `ID CODE` is printed when it has ended. A call is a process like any other: own streams, own environment, own
end. Only `vega_trio` and its libraries are imported before, nothing of it has run.
"""

from __future__ import annotations

import atexit
import gc
import importlib
import json
import os
import pkgutil
import runpy
import sys
import threading
import traceback
from pathlib import Path
from typing import Any

PACKAGES = ("vega_trio.app", "vega_trio.cli", "vega_trio.dsl", "vega_trio.engine", "vega_trio.llm", "vega_trio.store",
            "vega_trio.tools")  # fmt: skip
LIBRARIES = ("anthropic", "httpx2", "sqlite_utils", "genai_prices", "jsonschema_rs")
"""What their adapters import at first use."""


def warm_up() -> None:
    for package in PACKAGES:
        for module in pkgutil.iter_modules(importlib.import_module(package).__path__, f"{package}."):
            importlib.import_module(module.name)
    for name in LIBRARIES:
        importlib.import_module(name)

    gc.collect()
    gc.freeze()  # the collector of a call would touch, and so copy, all that was imported


def end_at_once(code: int) -> None:
    """Ends the call as the interpreter does, but for taking apart what it shares with others."""
    threading._shutdown()  # type: ignore[attr-defined]
    atexit._run_exitfuncs()
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(code)


def forked() -> dict[str, Any] | None:
    """Forks for each request. Returns its request in the process of a call, None at the end of the requests."""
    while line := _line():
        request = json.loads(line)
        if os.fork() == 0:
            call = os.fork()
            if call == 0:
                return dict(request)
            code = os.waitstatus_to_exitcode(os.waitpid(call, 0)[1])
            os.write(1, f"{request['id']} {code}\n".encode())
            os._exit(0)
        _reap()
    return None


def _line() -> bytes:
    """Unbuffered: what is read here must not be in the buffers of a call."""
    line = b""
    while not line.endswith(b"\n") and (byte := os.read(0, 1)):
        line += byte
    return line


def _reap() -> None:
    try:
        while os.waitpid(-1, os.WNOHANG)[0]:
            pass
    except ChildProcessError:
        return


def become(request: dict[str, Any]) -> None:
    """Makes this process the call: its directory, environment, streams and words."""
    os.chdir(request["cwd"])
    os.environ.clear()
    os.environ.update(request["env"])
    reader, writer = os.pipe()
    os.write(writer, request["stdin"].encode())
    os.close(writer)
    os.dup2(reader, 0)
    os.close(reader)
    for number, name in ((1, "stdout"), (2, "stderr")):
        with Path(request[name]).open("wb") as file:
            os.dup2(file.fileno(), number)
        setattr(sys, name, os.fdopen(number, "w", buffering=number, closefd=False))  # stderr by the line
    sys.stdin = os.fdopen(0, closefd=False)
    sys.argv[1:] = request["args"]


if __name__ == "__main__":
    warm_up()
    if (asked := forked()) is not None:
        become(asked)
        code = 1
        try:
            runpy.run_module("vega_trio", run_name="__main__", alter_sys=True)
        except SystemExit as end:
            code = end.code if isinstance(end.code, int) else 0
        except BaseException:
            traceback.print_exc()
        finally:
            end_at_once(code)
