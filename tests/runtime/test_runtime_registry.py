"""How long processes that have ended can be asked for."""

from __future__ import annotations

import trio

import vega_trio as vega
from vega_trio.runtime.registry import REMEMBERED_BYTES
from vega_trio.testing import ScriptedModel

LONG = "x" * (REMEMBERED_BYTES // 8)


async def test_long_conversations_of_finished_processes_are_let_go() -> None:
    model = ScriptedModel(lambda _: "ok")
    agent = vega.Agent(name="a", model=model)
    with trio.fail_after(30):
        async with vega.open_orchestrator() as orch:
            ended = []
            for number in range(10):
                said = [vega.Message("user", LONG), vega.Message("assistant", "ok")] if number < 8 else []
                ended.append(await orch.spawn(agent, task="go", messages=said))
                await ended[-1].wait()
            known = [number for number, proc in enumerate(ended) if proc in _known(orch, ended)]
            assert known == [1, 2, 3, 4, 5, 6, 7, 8, 9]
            assert len(ended[0].messages()) == 4  # whoever holds it still has all of it


def _known(orch: vega.Orchestrator, processes: list[vega.Process]) -> list[vega.Process]:
    found = []
    for process in processes:
        try:
            found.append(orch.get(process.id))
        except vega.UnknownProcess:
            continue
    return found
