"""Holds our fake model server to one that others wrote, `fakellm`: `make conform`.

The same conversations are led against both, in either wire format, by the same agents through our adapters: what comes
out must be alike, word for word and call for call. A mistake that our adapters and our fake have in common shows here.
Faults are not compared: theirs streams none. It runs in an environment of its own, made on first use.
"""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
import tempfile
import time
import venv
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import attrs
import httpx
import trio

sys.path.insert(0, str(Path(__file__).parents[1] / "mcp"))
import peers

import vega_trio as vega
from vega_trio.llm.resolve import Models
from vega_trio.messages import ToolCall
from vega_trio.testing import FakeMessagesServer
from vega_trio.testing.fake_messages import FakeRequest

PINNED = "fakellm==0.3.5"
MODELS = ("anthropic:claude-sonnet-5-5", "openai:gpt-5")
READY_S = 60.0
TRICKY = 'Zwei Wörter, 漢字 and "quotes",  two  blanks\n\n- a list \\ and a \U0001f40d'


@attrs.frozen
class Case:
    """What the model does in one turn: calls tools (none, if there are none), then says `answer`."""

    name: str
    calls: tuple[dict[str, Any], ...]
    answer: str


CASES = (
    Case("plain", (), "Just an answer."),
    Case("tricky", (), TRICKY),
    Case("one-call", ({"name": "look", "arguments": {"word": "x", "depth": 2}},), "Found it."),
    Case(
        "nested",
        ({"name": "look", "arguments": {"word": TRICKY, "more": {"a": [1, None, True, {"b": "c"}]}}},),
        "Deep.",
    ),
    Case("two-calls", ({"name": "look", "arguments": {"word": "x"}}, {"name": "ping", "arguments": {}}), "Both."),
    Case("no-arguments", ({"name": "ping", "arguments": {}},), "Pong."),
)


@attrs.frozen
class Outcome:
    """What came of a case: the reply, and the calls as the tools got them."""

    text: str
    stop_reason: str
    calls: tuple[tuple[str, str], ...]


def rules() -> str:
    """The cases as fakellm is told them; YAML takes JSON."""
    made: list[dict[str, Any]] = []
    for case in CASES:
        asked = {"messages_contain": f"case {case.name}."}
        if case.calls:
            after = {**asked, "tool_result_contains": f"result of {case.name}."}
            made.append({"name": f"{case.name} 2", "when": after, "respond": {"content": case.answer}})
            made.append({"name": case.name, "when": asked, "respond": {"tool_calls": list(case.calls)}})
        else:
            made.append({"name": case.name, "when": asked, "respond": {"content": case.answer}})
    return json.dumps({"rules": made})


def ours(case: Case) -> list[Any]:
    """The case as the steps of our fake."""
    calls = [ToolCall(f"call_{number}", call["name"], call["arguments"]) for number, call in enumerate(case.calls)]
    return [calls, case.answer] if calls else [case.answer]


async def lead(case: Case, model: vega.Model) -> Outcome:
    """Leads the conversation."""
    got: list[tuple[str, str]] = []

    def look(word: str, depth: int = 1, more: dict[str, Any] | None = None) -> str:
        """Looks a word up."""
        got.append(("look", json.dumps([word, depth, more])))
        return f"result of {case.name}."

    def ping() -> str:
        """Answers."""
        got.append(("ping", ""))
        return f"result of {case.name}."

    agent = vega.Agent(name="asker", system="You help.", tools=[look, ping])
    async with vega.open_orchestrator(model=model) as orch, orch.spawn(agent) as proc:
        reply = await proc.send(f"This is case {case.name}.")
    called = tuple((call.name, json.dumps(call.arguments, sort_keys=True)) for call in reply.tool_calls)
    return Outcome(reply.text, reply.stop_reason, (*called, *sorted(got)))


async def against(url: str, case: Case, name: str) -> Outcome:
    env = {
        "ANTHROPIC_API_KEY": "none",
        "ANTHROPIC_BASE_URL": url,
        "OPENAI_API_KEY": "none",
        "OPENAI_BASE_URL": f"{url}/v1",
    }
    async with Models(env=env) as models:
        with trio.fail_after(60):
            return await lead(case, models.get(name))


async def differences(url: str, case: Case, name: str) -> list[str]:
    """What is not alike, or not what the case is about."""
    async with httpx.AsyncClient(trust_env=False) as http:
        (await http.post(f"{url}/_fakellm/reset")).raise_for_status()  # it knows conversations by how they begin
    theirs = await against(url, case, name)
    requests: list[FakeRequest] = []
    async with FakeMessagesServer(ours(case)) as fake:
        same = await against(fake.base_url, case, name)
        requests += fake.requests
    wrong = [] if theirs == same else [f"{case.name} {name}: {theirs} with theirs, {same} with ours"]
    if theirs.text != case.answer:
        wrong.append(f"{case.name} {name}: {theirs.text!r} is not {case.answer!r}")
    if len(theirs.calls) != 2 * len(case.calls) or len(requests) != 1 + bool(case.calls):
        wrong.append(f"{case.name} {name}: {len(theirs.calls) / 2} calls, {len(requests)} requests")
    return wrong


@contextmanager
def serving(folder: Path) -> Iterator[str]:
    """Their server, on a port of loopback."""
    place = peers.folder() / PINNED.replace("==", "-")
    program = place / "bin" / "fakellm"
    if not program.exists():
        venv.create(place, with_pip=True, clear=True)
        pip = (str(place / "bin" / "python"), "-m", "pip", "install", "--quiet", "--disable-pip-version-check")
        subprocess.run([*pip, PINNED], check=True)
    config = folder / "fakellm.yaml"
    config.write_text(rules())
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        port = taken.getsockname()[1]
    env = {**os.environ, "PYTHONPATH": ""}
    command = [str(program), "serve", "--port", str(port), "--config", str(config)]
    server = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, env=env)
    try:
        url = f"http://127.0.0.1:{port}"
        await_ready(url, server)
        yield url
    finally:
        server.terminate()
        server.wait()


def await_ready(url: str, server: subprocess.Popen[bytes]) -> None:
    """It does not tell when it listens."""
    until = time.monotonic() + READY_S
    while server.poll() is None and time.monotonic() < until:
        try:
            httpx.get(f"{url}/_fakellm/stats", trust_env=False).raise_for_status()
            return
        except httpx.TransportError:
            time.sleep(0.1)
    raise RuntimeError("fakellm did not start")


async def main() -> int:
    """1 when something is not alike."""
    wrong, tried = [], 0
    with tempfile.TemporaryDirectory(prefix="fakellm-") as folder, serving(Path(folder)) as url:
        for case in CASES:
            for name in MODELS:
                tried += 1
                found = await differences(url, case, name)
                wrong += found[:1]
                sys.stdout.write("".join(f"{each}\n" for each in found))
    sys.stdout.write(f"fakellm: {tried - len(wrong)} of {tried} conversations alike\n")
    return int(bool(wrong))


if __name__ == "__main__":
    sys.exit(trio.run(main))
