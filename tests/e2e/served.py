"""A real `vega serve` in a program of its own, and plain requests to it."""

from __future__ import annotations

import http.client
import json
import os
import subprocess
import sys
import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

LONGEST_S = 60.0


@contextmanager
def served(
    document: Path,
    database: Path,
    *,
    model: str = "demo",
    env: Mapping[str, str] | None = None,
    within: Sequence[str] = (),
    log: list[str] | None = None,
) -> Iterator[tuple[subprocess.Popen[str], str]]:
    """The process and its address. `within` is a command that runs it; it is killed at the end of the block.

    `log` takes the lines that it writes.
    """
    command = [*within, sys.executable, "-m", "vega_trio", "serve", str(document), "--model", model]
    command += ["--db", str(database), "--addr", "127.0.0.1:0"]
    whole = {**os.environ, "VEGA_HOME": str(document.parent), **(env or {})}
    with subprocess.Popen(command, stderr=subprocess.PIPE, env=whole, text=True) as process:
        guard = threading.Timer(LONGEST_S, process.kill)
        guard.start()
        try:
            yield process, _address(process, [] if log is None else log)
        finally:
            guard.cancel()
            process.kill()


def _address(process: subprocess.Popen[str], said: list[str]) -> str:
    assert process.stderr is not None
    for line in iter(process.stderr.readline, ""):
        if line.startswith("Dashboard: "):
            # It must never wait for a reader.
            threading.Thread(target=said.extend, args=[process.stderr], daemon=True).start()
            return line.removeprefix("Dashboard: ").strip()
        said.append(line)
    raise AssertionError(f"vega serve did not start: {''.join(said)}")


@contextmanager
def ask(url: str, path: str, body: object = None) -> Iterator[http.client.HTTPResponse]:
    """One request, a POST when there is a body."""
    data = None if body is None else json.dumps(body)
    with closing(http.client.HTTPConnection(url.removeprefix("http://"), timeout=30)) as connection:
        connection.request("POST" if data else "GET", path, data, {"Content-Type": "application/json"} if data else {})
        with connection.getresponse() as answer:
            yield answer


def fetch(url: str, path: str, body: object = None) -> Any:
    """The decoded answer, whatever its status."""
    with ask(url, path, body) as answer:
        return json.load(answer)


def status(url: str, path: str, body: object = None) -> int:
    with ask(url, path, body) as answer:
        answer.read()
        return answer.status
