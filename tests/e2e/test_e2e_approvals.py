"""A real server is killed while a call waits for a person; the person answers afterwards, and the call is made once."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest

pytestmark = pytest.mark.e2e

DOCUMENT = """
tools:
  append:
    description: Notes that it was called.
    params: {what: {type: string, required: true}}
    implementation: {type: exec, command: "sh -c 'echo called >> calls.txt'"}
    approval: always
agents:
  clerk: {model: demo, system: You work., tools: [append, linger]}
"""


@contextmanager
def serving(folder: Path) -> Iterator[tuple[subprocess.Popen[bytes], httpx.Client]]:
    env = {name: value for name, value in os.environ.items() if not name.startswith(("VEGA_", "ANTHROPIC_"))}
    server = subprocess.Popen(
        [sys.executable, "-m", "vega_trio", "serve", "team.vega.yaml", "--addr", ":0", "--db", "vega.db"],
        cwd=folder,
        env={**env, "VEGA_HOME": str(folder / "home"), "PYTHONPATH": str(Path(__file__).parents[2])},
        stdin=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
    )
    assert server.stderr is not None
    try:
        for line in server.stderr:
            if b"Dashboard: " in line:
                url = line.decode().split("Dashboard: ")[1].strip()
                with httpx.Client(base_url=url, trust_env=False, timeout=10) as client:
                    yield server, client
                break
    finally:
        server.kill()
        server.wait()
        server.stderr.close()


def until(condition: Callable[[], Any]) -> Any:
    late = time.monotonic() + 20
    while not (found := condition()):
        assert time.monotonic() < late
        time.sleep(0.02)
    return found


def pending(client: httpx.Client) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = client.get("/api/approvals?status=pending").json()
    return found


def below(pid: int) -> set[int]:
    """All that the process has started, and what that has."""
    found, waiting = set(), [pid]
    while waiting:
        parent = waiting.pop()
        try:
            children = [int(each) for each in Path(f"/proc/{parent}/task/{parent}/children").read_text().split()]
        except (FileNotFoundError, ProcessLookupError):
            continue
        found |= set(children)
        waiting += children
    return found


def test_a_kill_between_question_and_answer_loses_neither(tmp_path: Path) -> None:
    (tmp_path / "team.vega.yaml").write_text(DOCUMENT.replace(", linger", ""))
    calls = tmp_path / "workspace" / "calls.txt"
    with serving(tmp_path) as (server, client):
        with client.stream("POST", "/api/agents/clerk/chat/stream", json={"message": "Use append with what=x"}):
            (before,) = until(lambda: pending(client))
            server.send_signal(signal.SIGKILL)
            server.wait()
    with serving(tmp_path) as (server, client):
        (after,) = until(lambda: pending(client))
        assert after == before
        assert not calls.exists()
        answer = client.post(f"/api/approvals/{after['id']}", json={"decision": "approve"})
        assert (answer.status_code, answer.json()["status"]) == (200, "approved")
        until(lambda: not client.get("/api/agents/clerk/chat/status").json()["streaming"])
        server.send_signal(signal.SIGKILL)  # what was decided stays decided
        server.wait()
    with serving(tmp_path) as (server, client):
        assert pending(client) == []
        assert [each["status"] for each in client.get("/api/approvals").json()][-1] == "approved"
    assert calls.read_text() == "called\n"


def test_no_descendant_survives_a_kill_of_the_server_in_the_middle_of_commands(tmp_path: Path) -> None:
    command = "sh -c 'setsid sleep 66 & sleep 66'"
    linger = f'  linger:\n    params: {{}}\n    implementation: {{type: exec, command: "{command}"}}\n'
    (tmp_path / "team.vega.yaml").write_text(DOCUMENT.replace("agents:", linger + "agents:"))
    with serving(tmp_path) as (server, client):
        with client.stream("POST", "/api/agents/clerk/chat/stream", json={"message": "Use linger"}):
            until(lambda: len(below(server.pid)) >= 4)
            family = below(server.pid)
            server.send_signal(signal.SIGKILL)
            server.wait()
            late = time.monotonic() + 3
            while (left := {pid for pid in family if Path(f"/proc/{pid}").exists()}) and time.monotonic() < late:
                time.sleep(0.02)
    print(f"{len(family)} descendants, {len(left)} left 3 s after kill -9", file=sys.stderr)
    assert left == set()
