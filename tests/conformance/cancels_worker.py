"""One library under the cancellation audit: `python cancels_worker.py NAME CANCELS` prints what `cancels.py` reads."""

from __future__ import annotations

import asyncio
import importlib
import json
import sys
import time
from collections import Counter
from collections.abc import Awaitable, Callable

TOOL_S = 0.02
MODEL = "tools"
Sleep = Callable[[float], Awaitable[None]]


class Ledger:
    """What the tool has done so far."""

    def __init__(self, sleep: Sleep) -> None:
        self.effects = 0
        self._sleep = sleep

    async def add(self, a: int, b: int) -> str:
        """Adds two numbers."""
        await self._sleep(TOOL_S)
        self.effects += 1
        return str(a + b)


def verdict(*, effects: int, tasks: int, unseen: bool) -> Counter[str]:
    """What was unclean of one cancel."""
    wrong = Counter({"effects": int(effects > 0), "tasks": int(tasks > 0), "unseen": int(unseen)})
    return wrong + Counter(clean=int(not wrong.total()), of=1)


def pauses(whole: float, count: int) -> list[float]:
    """When to cancel: at points that are spread over the length of a turn, but for its end."""
    return [whole * 0.9 * (number + 0.5) / count for number in range(count)]


async def on_asyncio(name: str, cancels: int) -> Counter[str]:
    ledger = Ledger(asyncio.sleep)
    turn = importlib.import_module(f"turn_{name}").turn_of(MODEL, [ledger.add])
    await turn()
    began = time.perf_counter()
    await turn()
    found: Counter[str] = Counter()
    for pause in pauses(time.perf_counter() - began, cancels):
        before = asyncio.all_tasks()
        task = asyncio.ensure_future(turn())
        await asyncio.sleep(pause)
        early = not task.done()
        task.cancel()
        await asyncio.wait([task])
        had = ledger.effects
        await asyncio.sleep(3 * TOOL_S)
        left = asyncio.all_tasks() - before - {task}
        found += verdict(effects=ledger.effects - had, tasks=len(left), unseen=early and not task.cancelled())
    return found


def on_trio(cancels: int) -> Counter[str]:
    import trio

    import vega_trio as vega

    async def main() -> Counter[str]:
        ledger, found = Ledger(trio.sleep), Counter[str]()
        agent = vega.Agent(name="audited", tools=[ledger.add])
        async with vega.open_orchestrator(model=f"anthropic:{MODEL}") as orch:

            async def turn() -> None:
                async with orch.spawn(agent) as process:
                    await process.send("hi")

            await turn()
            began = time.perf_counter()
            await turn()
            for pause in pauses(time.perf_counter() - began, cancels):
                before = trio.lowlevel.current_statistics().tasks_living
                with trio.move_on_after(pause):  # by Trio's rules the turn returns, or the cancel is seen here
                    await turn()
                had = ledger.effects
                await trio.sleep(3 * TOOL_S)
                left = trio.lowlevel.current_statistics().tasks_living - before
                found += verdict(effects=ledger.effects - had, tasks=left, unseen=False)
        return found

    return trio.run(main)


def main(name: str, cancels: int) -> None:
    found = on_trio(cancels) if name == "ours" else asyncio.run(on_asyncio(name, cancels))
    print(json.dumps({key: found[key] for key in ("clean", "of", "effects", "tasks", "unseen")}))


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]))
