"""A real server with something on every page of the dashboard: `python shop.py HOME`.

It has a rest_for_one supervisor and processes that are tied to its children, a team, workflows, an MCP server that
connects and one that does not, prices and a budget. Its model is the demo's, quicker, and tells a long text on demand.
"""

from __future__ import annotations

import sys
from collections.abc import AsyncGenerator
from pathlib import Path

import attrs
import trio

from vega_trio import ChildSpec, Process, SupervisorSpec
from vega_trio.app.application import App
from vega_trio.app.open import open_app
from vega_trio.llm.demo import DemoModel
from vega_trio.messages import Usage
from vega_trio.protocols import ModelDone, ModelEvent, ModelRequest, TextChunk
from vega_trio.serve.server import Access, serve

PEERS = Path(__file__).with_name("shop_tools.vega.yaml")
LONG = 27_000
PARAGRAPH = "Some **words** about `supervision`, with [a link](https://example.org) and a list:\n\n- one\n- two\n\n"
CODE = "```python\ndef add(one, other):\n    return one + other\n```\n\n"
SMALL_DELTAS, DELTAS_PER_S = 250, 50
HOSTILE = "<img src=x onerror=hacked=1><script>hacked=1</script> [go](javascript:hacked=1)"

DOCUMENT = f"""
name: shop
settings:
  default_model: demo
  budget: {{limit: $0.50, per: total}}
  mcp:
    servers:
      - name: catalogue
        command: {sys.executable}
        args: [-m, vega_trio, mcp, serve, {PEERS}]
      - {{name: tickets, transport: http, url: "http://127.0.0.1:9/mcp"}}
tools:
  hostile:
    description: Gives a result that would like to be a page.
    params: {{}}
    implementation: {{type: exec, command: "printf %s '{HOSTILE}'"}}
  publish_note:
    description: Publishes a note.
    params: {{text: {{type: string, required: true}}}}
    implementation: {{type: exec, command: "echo published"}}
    approval: always
agents:
  assistant:
    description: Answers questions, and looks things up before it does.
    system: You help. Say where you found what you say.
    tools: [web_search, publish_note, hostile]
    budget: $0.40
  lead: {{system: You lead. Have your team work., team: [worker], description: Hands the work to its team.}}
  worker: {{system: You work., description: Does the work., temperature: 0.2}}
workflows:
  report:
    description: Write about every topic, side by side with a title.
    inputs:
      topics: {{type: array, description: What to write about, min: 1, max: 20}}
      style: {{enum: [short, long], default: short}}
      minutes: {{type: integer, default: 10, min: 1, max: 60}}
    steps:
      - for: topic in topics
        steps:
          - worker: "Write one sentence about {{{{topic}}}}."
            save: text
        save: texts
      - parallel:
          - worker: "Write a title"
            save: title
          - set: {{style: "{{{{style}}}}"}}
    output: "{{{{title}}}}"
  broken: {{steps: [{{worker: fail}}]}}
"""


@attrs.define(eq=False)
class ShopModel(DemoModel):
    """The demo's model with a price; asked for a `long text`, it says most at once and the end of it word by word."""

    def price(self, usage: Usage) -> int | None:
        return usage.input_tokens * 3 + usage.output_tokens * 150

    async def _events(self, request: ModelRequest) -> AsyncGenerator[ModelEvent, None]:
        if not any("long text" in each.text for each in request.messages[-1:]):
            async for event in super()._events(request):
                yield event
            return
        yield TextChunk(f"{((PARAGRAPH + CODE) * (LONG // 100))[:LONG]}\n\n")
        for number in range(SMALL_DELTAS):
            await trio.sleep(1 / DELTAS_PER_S)
            yield TextChunk(f"word{number} " if number % 10 else f"and *more* {number}.\n\n")
        yield ModelDone("end_turn", Usage(input_tokens=10, output_tokens=10))


async def service(me: Process) -> None:
    async for mail in me.inbox:
        mail.reply("done")


async def idle(me: Process) -> None:
    await trio.sleep_forever()


async def open_shop(app: App) -> None:
    """Starts what is supervised and what is tied to it."""
    children = [ChildSpec(name, service, name=name) for name in ("database", "cache", "web")]
    await app.orch.supervise(SupervisorSpec("rest_for_one", children, max_restarts=3, window=60.0))

    async def guest(me: Process) -> None:
        web = app.orch.whereis("web")
        assert web is not None
        me.link(web)
        await trio.sleep_forever()

    async def watcher(me: Process) -> None:
        web = app.orch.whereis("web")
        assert web is not None
        async with me.monitor(web) as downs:
            async for _ in downs:
                pass

    await app.orch.spawn(guest, name="guest")
    await app.orch.spawn(watcher, name="watcher")
    for number in range(5):
        await app.orch.spawn(idle, name=f"idler{number}")


async def main(home: Path) -> None:
    document = home / "shop.vega.yaml"
    document.write_text(DOCUMENT)
    model = ShopModel(tokens_per_s=600)
    async with open_app(document, model=model, store=home / "shop.db", home=home) as app:
        await open_shop(app)
        app.drill.allowed = True
        await serve(app, addr="127.0.0.1:0", access=Access(home=home), on_ready=_tell, shutdown_timeout=1.0)


def _tell(address: str) -> None:
    print(f"Dashboard: {address}", flush=True)


if __name__ == "__main__":
    trio.run(main, Path(sys.argv[1]))
