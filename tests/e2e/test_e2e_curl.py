"""The commands of the original's README, typed as they stand there; only the port is another."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from served import served

pytestmark = pytest.mark.e2e

DOCUMENT = """
agents:
  assistant: {model: demo, system: You help.}
workflows:
  review:
    inputs: {task: string}
    steps:
      - assistant: "Review {{task}}"
"""
LISTS = ("processes", "agents", "spawn-tree", "workflows", "mcp/servers")


@pytest.fixture(scope="module")
def port(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    folder = tmp_path_factory.mktemp("curl")
    document = folder / "team.vega.yaml"
    document.write_text(DOCUMENT)
    with served(document, folder / "vega.db") as (_, url):
        yield url.rpartition(":")[2]


def typed(port: str, command: str) -> str:
    """What the command prints."""
    line = command.replace("localhost:3001", f"localhost:{port}").replace("curl ", "curl -sS --fail-with-body ", 1)
    done = subprocess.run(["bash", "-c", line], capture_output=True, text=True, timeout=30)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


@pytest.mark.parametrize("path", LISTS)
def test_the_lists_are_arrays(port: str, path: str) -> None:
    assert isinstance(json.loads(typed(port, f"curl localhost:3001/api/{path} # List")), list)


def test_the_totals(port: str) -> None:
    found = json.loads(typed(port, "curl localhost:3001/api/stats # Aggregate metrics"))
    assert {"total_processes", "running_processes", "total_cost_usd", "uptime"} <= set(found)


def test_a_chat_and_its_stream(port: str) -> None:
    answer = json.loads(
        typed(
            port,
            "curl -X POST localhost:3001/api/agents/assistant/chat \\\n"
            "-H 'Content-Type: application/json' \\\n"
            '-d \'{"message": "Hello!"}\'',
        )
    )
    assert answer["response"]
    stream = typed(
        port,
        "curl -N -X POST localhost:3001/api/agents/assistant/chat/stream \\\n"
        "-H 'Content-Type: application/json' \\\n"
        '-d \'{"message": "Search for recent Go releases"}\'',
    )
    frames = [dict(line.split(": ", 1) for line in block.split("\n")) for block in stream.strip().split("\n\n")]
    shown: list[dict[str, Any]] = [json.loads(frame["data"]) for frame in frames]
    assert {"type", "delta"} == set(shown[0])
    assert [frame["event"] for frame in frames] == [each["type"] for each in shown]
    assert shown[-1] == {"type": "done"}


def test_a_workflow_is_launched_with_bare_inputs(port: str) -> None:
    launched = json.loads(
        typed(
            port,
            "curl -X POST localhost:3001/api/workflows/review/run \\\n"
            "-H 'Content-Type: application/json' \\\n"
            '-d \'{"task": "Write a sort function"}\'',
        )
    )
    assert launched["status"] == "running"
    run = json.loads(typed(port, f"curl localhost:3001/api/runs/{launched['run_id']}"))
    assert run["inputs"] == {"task": "Write a sort function"}


def test_the_conversation_of_a_telegram_user(port: str) -> None:
    assert json.loads(typed(port, "curl localhost:3001/api/agents/hermes:123456/chat")) == []


def test_mother_answers(port: str) -> None:
    body = '-H "Content-Type: application/json" -d \'{"message": "Hello"}\''
    assert json.loads(typed(port, f"curl -X POST localhost:3001/api/agents/mother/chat {body}"))["response"]


def test_the_event_stream_begins_at_once(port: str) -> None:
    line = f"exec curl -sSN localhost:{port}/api/events # SSE event stream"
    with subprocess.Popen(["bash", "-c", line], stdout=subprocess.PIPE) as listener:
        assert listener.stdout is not None
        try:
            assert listener.stdout.readline() == b": connected\n"
        finally:
            listener.kill()


def test_the_page_is_served_from_the_same_address(port: str, tmp_path: Path) -> None:
    assert "<html" in typed(port, f"curl -o {tmp_path}/page localhost:3001; cat {tmp_path}/page").lower()
