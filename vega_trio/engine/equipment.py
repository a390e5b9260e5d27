"""What the application hands the engine for one agent: its model, its tools, and where things are kept."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping

import attrs

from vega_trio._core.redact import Redactor
from vega_trio.agent import Agent
from vega_trio.engine.approvals import Approvals
from vega_trio.engine.limits import Limits
from vega_trio.engine.recollection import Recollection
from vega_trio.engine.telemetry import NoTelemetry
from vega_trio.protocols import Model, OutputSpec, Store, Telemetry, Tool, ToolSource
from vega_trio.runtime.process import Process


def _pass(_: str) -> None:
    """No failpoint is set."""


@attrs.frozen(kw_only=True)
class Equipment:
    """Shared by every process of the agent; holds nothing of any one of them.

    `fallback` answers when `model` fails for good; `limits` are the application's. `tools` is the allow-list: what is
    not in it is refused when called; those of `sources` are in it for as long as they are there. `output` is what
    final replies must be, None any text. `idle_stop_s`: a process without mail for that long returns, None never.
    `wall_clock` gives Unix seconds. `ask(process, name, message)` reaches another agent on behalf of a process.
    `within(agent, tools)` is the blueprint with at most these tools, for what a tool spawns. `approvals` are the
    application's requests for a person's yes.
    `memory` is what is remembered of users, None nothing. `seen` is what those who wrote the agent had seen.
    `failpoint` is called with the name of each place where a test may have the program die.
    """

    model: Model
    limits: Limits
    store: Store
    wall_clock: Callable[[], float]
    new_id: Callable[[], str]
    ask: Callable[[Process, str, str], Awaitable[str]]
    within: Callable[[Agent, Mapping[str, Tool]], Agent]
    approvals: Approvals
    _own_tools: Mapping[str, Tool] = attrs.field(factory=dict, alias="tools")
    sources: tuple[ToolSource, ...] = ()
    idle_stop_s: float | None = None
    failpoint: Callable[[str], None] = attrs.field(default=_pass, repr=False)
    fallback: Model | None = None
    output: OutputSpec | None = None
    redact: Redactor = attrs.field(factory=Redactor)
    telemetry: Telemetry = attrs.field(factory=NoTelemetry)
    memory: Recollection | None = None
    seen: frozenset[str] = frozenset()

    @property
    def tools(self) -> Mapping[str, Tool]:
        """What may be called now, by name. No source's tool takes the place of another's or of the agent's own."""
        if not self.sources:
            return self._own_tools
        found = dict(self._own_tools)
        for source in self.sources:
            for name, tool in source.tools.items():
                found.setdefault(name, tool)
        return found

    async def ready(self) -> None:
        """Waits for sources that are starting."""
        for source in self.sources:
            await source.ready()
