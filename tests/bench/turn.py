"""What a turn costs beside the bare Anthropic SDK, and beside other libraries where they are installed.

    python tests/bench/turn.py [--quick] [--only WORD] [--json FILE]

All talk to one server on loopback in a process of its own, each from a process of its own. Costs are CPU milliseconds
of one turn, medians of rounds in which all take turns; the crowds are turns a second by the wall clock with a model
that takes 20 ms.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterator, Mapping
from functools import partial
from pathlib import Path

HERE = Path(__file__).parent
sys.path[:0] = [str(HERE / "cases"), str(HERE.parent.parent)]

import contenders  # noqa: E402
import rows  # noqa: E402
from contenders import Worker  # noqa: E402
from rounds import by_turns, child  # noqa: E402
from rows import Row, Target, at_least, at_most  # noqa: E402

CASES = [
    # name, model, turns, at once, highest ratio to the SDK
    ("plain turn", "plain", 200, 1, 1.3),
    ("100-delta stream", "deltas", 50, 1, 0.5),
    ("five-tool loop", "tools", 40, 1, 1.3),
]
CROWDS = [("1 agent, 20 ms model", 1, 20), ("50 agents, 20 ms model", 50, 250), ("500 agents, 20 ms model", 500, 1000)]
WITHIN_S = 180.0
"""For a round of a case: the slowest library takes a fifth of it on a quiet machine. Who takes longer has failed."""

Figure = Callable[[dict[str, float]], float]


def measure(
    workers: Mapping[str, Worker], name: str, model: str, turns: int, at_once: int, rounds: int, wanted: Target
) -> Row:
    """CPU milliseconds a turn, or turns a second of a crowd."""

    def cpu_ms(cost: dict[str, float]) -> float:
        return cost["cpu_s"] / turns * 1000

    def per_s(cost: dict[str, float]) -> float:
        return turns / cost["wall_s"]

    figure, unit = (per_s, "turns/s") if "20ms" in model else (cpu_ms, "ms")
    orders = {who: partial(each.run, model, turns, at_once, within_s=WITHIN_S) for who, each in workers.items()}
    found = by_turns(orders, rounds)
    medians = {who: found.median(who, figure) for who in workers}
    failures = {"SDK" if who == "sdk" else who: why for who, why in found.failures.items()}
    return Row(name, unit, medians.pop("ours"), medians.pop("sdk"), "SDK", wanted, medians, failures)


def rows_of(workers: Mapping[str, Worker], *, quick: bool, only: str) -> Iterator[Row]:
    rounds, scale = (3, 4) if quick else (5, 1)
    for name, model, turns, at_once, target in CASES:
        if only in name:
            yield measure(workers, name, model, turns // scale, at_once, rounds, at_most(target, times=True))
    for name, at_once, turns in CROWDS:
        if only in name:
            most = max(at_once, turns // scale)
            yield measure(workers, name, "plain-20ms", most, at_once, 3, at_least(1.0, times=True))


def memory(count: int, rounds: int, env: Mapping[str, str]) -> Row:
    """Kilobytes for one more agent that has had a turn, in an interpreter of its own."""

    def grown() -> float:
        few = 10
        less, more = (
            int(child([sys.executable, __file__, "--resident", str(n)], within_s=WITHIN_S, env={**os.environ, **env}))
            for n in (few, count)
        )
        return (more - less) / (count - few) / 1024

    found = by_turns({"ours": grown}, rounds)
    return Row(f"agent after a turn, of {count}", "kB", found.median("ours", float), failures=found.failures)


def run(*, quick: bool, only: str) -> Iterator[Row]:
    with contenders.model_server() as env:
        with contenders.workers(env) as workers:
            yield from rows_of(workers, quick=quick, only=only)
        if only in "memory":
            yield memory(200 if quick else 1000, 1 if quick else 3, env)


async def resident(count: int) -> None:
    import vega_trio as vega

    async with vega.open_orchestrator(model="anthropic:plain", max_processes=count + 1) as orch:
        for _ in range(count):
            await (await orch.spawn(vega.Agent(name="bench"))).send("hi")
        print(int(Path("/proc/self/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE"))


def main() -> None:
    parser = rows.options(__doc__, "turn")
    parser.add_argument("--only", default="", metavar="WORD", help="only cases with this in their name")
    parser.add_argument("--resident", type=int, help="for its own use: agents that stay")
    options = parser.parse_args()
    if options.resident:
        import trio

        trio.run(resident, options.resident)
        return
    rows.publish(run(quick=options.quick, only=options.only), options.json)


if __name__ == "__main__":
    main()
