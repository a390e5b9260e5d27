"""The program that `resume.py` kills: an application on a file store whose agent charges two cards for each job.

    python resume_child.py DATABASE

Orders come on standard input, a JSON line each: {"job": NAME} has it done, once whatever happens; {"state": [NAMES]}
asks how the jobs stand. A tool says {"effect": KEY} and waits for a line before it returns.
"""

from __future__ import annotations

import json
import sys
from typing import Any

import attrs
import trio

import vega_trio as vega
from vega_trio.app.disk import Disk
from vega_trio.dsl.parse import parse_text
from vega_trio.protocols import ModelRequest
from vega_trio.testing.scripted import Scripted, ScriptedModel

TEXT = b"agents: {worker: {system: You charge cards.}}\nsettings: {default_model: demo}"
SESSION = vega.Session("worker", "conformance")


def reply(request: ModelRequest) -> Scripted:
    """Charges a first card, then a second, then says that it is done."""
    count = 0
    for message in reversed(request.messages):
        if message.role == "user" and not message.tool_results:
            if count == 2:
                return f"Done: {message.text}"
            key = f"{message.text}/{count}"
            return vega.ToolCall(f"call-{key}", "charge", {"key": key})
        count += len(message.tool_results)
    raise ValueError("there is no job")


async def hear() -> dict[str, Any] | None:
    line = await trio.to_thread.run_sync(sys.stdin.readline, abandon_on_cancel=True)
    return json.loads(line) if line else None


def say(**fields: object) -> None:
    sys.stdout.write(json.dumps(fields) + "\n")
    sys.stdout.flush()


async def charge(key: str) -> str:
    """Charges a card; must not be repeated."""
    say(effect=key)
    await hear()
    return "charged"


async def do(app: vega.App, job: str) -> None:
    """Has the job done, unless it has been; one that is under way is waited for."""
    if await app.turn(job) is None:
        async with app.chat(SESSION, job, turn_id=job) as events:
            async for _ in events:
                pass


async def standing(app: vega.App, jobs: list[str]) -> dict[str, Any]:
    turns = {job: await app.turn(job) for job in jobs}
    said = [each.content for each in await app.transcript(SESSION) if each.role == "assistant" and each.content]
    return {"turns": {job: turn and turn["status"] for job, turn in turns.items()}, "said": said}


async def main(database: str) -> None:
    document = parse_text(TEXT, "resume.vega.yaml", Disk(), env={}).document
    agents = {name: attrs.evolve(each, tools=("charge",)) for name, each in document.agents.items()}
    document = attrs.evolve(document, agents=agents)
    async with vega.open_app(document, model=ScriptedModel(reply), store=database, tools=[charge], env={}) as app:
        while (order := await hear()) is not None:
            if "job" in order:
                await do(app, order["job"])
                say(done=order["job"])
            else:
                say(**await standing(app, order["state"]))


trio.run(main, sys.argv[1])
