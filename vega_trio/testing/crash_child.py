"""The program that `crashtest` kills: an application on a file store with a scripted model, working without end.

    python -m vega_trio.testing.crash_child FILE WORKFLOW DATABASE LEDGER_PORT

It first waits for the runs that its predecessor left behind, then starts one after another, each when the one before
has ended. Every agent of the document may call two tools, which report to the ledger: `act`, which must not be
repeated, and `look`, which may be. On stdout, a JSON line for each thing that it has been told is durable.
"""

from __future__ import annotations

import hashlib
import json
import os
import sys
from functools import partial

import attrs
import trio

from vega_trio.app.application import App
from vega_trio.app.disk import Disk
from vega_trio.app.open import open_app
from vega_trio.app.run import Run
from vega_trio.context import ToolContext
from vega_trio.dsl.document import Document
from vega_trio.dsl.parse import parse_document
from vega_trio.dsl.workflow import InputDefinition
from vega_trio.errors import RunCancelled, RunFailed
from vega_trio.messages import ToolCall
from vega_trio.protocols import ModelRequest
from vega_trio.testing.scripted import Scripted, ScriptedModel
from vega_trio.tools.toolbox import tool

TOOLS = ("act", "look")


def reply(request: ModelRequest) -> Scripted:
    """Calls both tools, then says something; the same request always gets the same."""
    last = request.messages[-1]
    if last.tool_results:
        return f"APPROVED after {len(request.messages)} messages. " + "word " * 20
    mark = hashlib.sha256(last.text.encode()).hexdigest()[:8]
    return ["Let me see. ", ToolCall(f"a{mark}", "act", {"mark": mark}), ToolCall(f"l{mark}", "look", {"mark": mark})]


def tools(port: int) -> list[object]:
    async def report(name: str, context: ToolContext) -> str:
        stream = await trio.open_tcp_stream("127.0.0.1", port)
        async with stream:
            await stream.send_all(f"{name} {context.idempotency_key}\n".encode())
            await stream.receive_some(1)
        return f"{name} done"

    async def act(context: ToolContext, mark: str) -> str:
        """Has an effect that must not be repeated."""
        return await report("act", context)

    @tool(effects=["read"])
    async def look(context: ToolContext, mark: str) -> str:
        """Has no effect."""
        return await report("look", context)

    return [act, look]


def armed(document: Document) -> Document:
    """The document with both tools, and no other, in the hands of every agent."""
    agents = {name: attrs.evolve(each, tools=TOOLS) for name, each in document.agents.items()}
    return attrs.evolve(document, agents=agents, tools={})


def sample(definition: InputDefinition) -> object:
    """A value that the input takes."""
    if definition.enum:
        return definition.enum[0]
    match definition.type:
        case "string":
            return "x" * int(definition.min or 1)
        case "number" | "integer":
            return definition.min or 1
        case "boolean":
            return True
        case "array":
            return ["x"] * int(definition.min or 1)
        case _:
            return {}


def say(kind: str, **fields: object) -> None:
    os.write(1, json.dumps({"kind": kind, **fields}).encode() + b"\n")


async def finish(run: Run) -> None:
    try:
        await run.wait()
    except (RunFailed, RunCancelled) as error:
        say("ended", run=run.id, status=run.status, error=str(error))
    else:
        say("ended", run=run.id, status=run.status, error="")


async def work(app: App, workflow: str, inputs: dict[str, object]) -> None:
    for run in tuple(app.runs.by_id.values()):
        await finish(run)
    say("ready")
    while True:
        run = await app.run_workflow(workflow, inputs)
        say("started", run=run.id)
        await finish(run)


async def main(file: str, workflow: str, database: str, port: int) -> None:
    given = tools(port)
    model = ScriptedModel(reply, price=1)
    env = {**os.environ, "VEGA_MODEL": model.name}
    document = armed(parse_document(file, Disk(), env=env).document)
    definition = document.workflows[workflow]
    inputs = {name: sample(each) for name, each in definition.inputs.items() if each.required}
    async with open_app(document, model=model, store=database, tools=given) as app:
        say("opened")
        await work(app, workflow, inputs)


if __name__ == "__main__":
    file, workflow, database, port = sys.argv[1:]
    trio.run(partial(main, file, workflow, database, int(port)))
