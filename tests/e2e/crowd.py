"""A real server with a crowd of processes that speak all the time: `python crowd.py HOME PROCESSES EVENTS_PER_S`."""

from __future__ import annotations

import sys
from pathlib import Path

import trio

from vega_trio import Process
from vega_trio.app.open import open_app
from vega_trio.events import LlmRetry, ProcessWaiting, ToolEnd, ToolStart
from vega_trio.runtime.orchestrator import Orchestrator
from vega_trio.serve.server import Access, serve
from vega_trio.testing import ScriptedModel

DOCUMENT = """
name: crowd
agents:
  assistant: {system: You help.}
settings:
  default_model: scripted
  max_processes: 10000
"""
TICKS_PER_S = 50


async def idle(me: Process) -> None:
    await trio.sleep_forever()


async def speak(orch: Orchestrator, ids: list[str], rate: int) -> None:
    """Emits `rate` durable events a second, of one process after the other. It catches up when it was late."""
    began, said = trio.current_time(), 0
    while True:
        await trio.sleep(1 / TICKS_PER_S)
        while said < (trio.current_time() - began) * rate:
            who = {"process_id": ids[said % len(ids)], "agent": "crowd"}
            call = {"tool_call_id": f"c{said // 4}", "tool_name": "look", **who}
            match said % 4:
                case 0:
                    orch.bus.emit(ProcessWaiting(on="model", **who))
                case 1:
                    orch.bus.emit(ToolStart(arguments={"number": said}, **call))
                case 2:
                    orch.bus.emit(ToolEnd(result="seen", duration_ms=3, **call))
                case _:
                    orch.bus.emit(LlmRetry(error_class="rate_limit", attempt=1, delay_ms=50, **who))
            said += 1


async def main(home: Path, processes: int, rate: int) -> None:
    document = home / "crowd.vega.yaml"
    document.write_text(DOCUMENT)
    async with open_app(document, model=ScriptedModel([]), store=home / "crowd.db", home=home) as app:
        ids = [(await app.orch.spawn(idle, name=f"p{number}")).id for number in range(processes)]
        async with trio.open_nursery() as nursery:
            nursery.start_soon(speak, app.orch, ids, rate)
            await serve(app, addr="127.0.0.1:0", access=Access(home=home), on_ready=_tell, shutdown_timeout=1.0)
            nursery.cancel_scope.cancel()


def _tell(address: str) -> None:
    print(f"Dashboard: {address}", flush=True)


if __name__ == "__main__":
    trio.run(main, Path(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3]))
