"""What a turn costs beside the bare Anthropic SDK, and beside other libraries where they are installed.

    python tests/bench/turn.py [--quick] [--only WORD] [--json FILE]

All talk to one server on loopback in a process of its own, each from a process of its own. Costs are CPU milliseconds
of one turn, medians of rounds in which all take turns; the crowds are turns a second by the wall clock with a model
that takes 20 ms.
"""

from __future__ import annotations

import os
import statistics
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import ExitStack
from pathlib import Path

HERE = Path(__file__).parent
sys.path[:0] = [str(HERE / "cases"), str(HERE.parent.parent)]

import contenders  # noqa: E402
import rows  # noqa: E402
from contenders import Worker  # noqa: E402
from rows import Row, at_least, at_most  # noqa: E402

CASES = [
    # name, model, turns, at once, highest ratio to the SDK
    ("plain turn", "plain", 200, 1, 1.3),
    ("100-delta stream", "deltas", 50, 1, 0.5),
    ("five-tool loop", "tools", 40, 1, 1.3),
]
CROWDS = [("1 agent, 20 ms model", 1, 20), ("50 agents, 20 ms model", 50, 500), ("500 agents, 20 ms model", 500, 2000)]


def measure(
    workers: Mapping[str, Worker], model: str, turns: int, at_once: int, rounds: int
) -> tuple[float, float, dict[str, float | None]]:
    """Ours, the SDK's, the peers': CPU milliseconds a turn, or turns a second of a crowd; None of who failed."""
    found: dict[str, list[float] | None] = {name: [] for name in workers}
    for _ in range(rounds):
        for name, figures in tuple(found.items()):
            if figures is None:
                continue
            cost = workers[name].run(model, turns, at_once)
            if cost is None:
                found[name] = None
            else:
                figures.append(turns / cost["wall_s"] if "20ms" in model else cost["cpu_s"] / turns * 1000)
    medians = {name: statistics.median(each) if each else None for name, each in found.items()}
    ours, sdk = medians.pop("ours"), medians.pop("sdk")
    if ours is None or sdk is None:
        raise RuntimeError(f"ours or the bare SDK failed; see {contenders.home('logs')}")
    return ours, sdk, medians


def rows_of(workers: Mapping[str, Worker], *, quick: bool, only: str) -> Iterator[Row]:
    rounds, scale = (3, 4) if quick else (5, 1)
    for name, model, turns, at_once, target in CASES:
        if only in name:
            ours, limit, peers = measure(workers, model, turns // scale, at_once, rounds)
            yield Row(name, "ms", ours, limit, "SDK", at_most(target, times=True), peers)
    for name, at_once, turns in CROWDS:
        if only in name:
            ours, limit, peers = measure(workers, "plain-20ms", max(at_once, turns // scale), at_once, rounds)
            yield Row(name, "turns/s", ours, limit, "SDK", at_least(1.0, times=True), peers)


def memory(count: int) -> Row:
    """Kilobytes for one more agent that has had a turn, in an interpreter of its own."""
    few, many = (
        int(subprocess.run([sys.executable, __file__, "--resident", str(n)], capture_output=True, text=True,
                           check=True).stdout)
        for n in (10, count)
    )  # fmt: skip
    return Row(f"agent after a turn, of {count}", "kB", (many - few) / (count - 10) / 1024)


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
    with contenders.model_server() as env, ExitStack() as stack:
        names = ["sdk", "ours", *contenders.installed()]
        workers = {name: stack.enter_context(contenders.worker(name, env)) for name in names}
        found = list(rows_of(workers, quick=options.quick, only=options.only))
        if options.only in "memory":
            os.environ |= env
            found.append(memory(200 if options.quick else 1000))
    rows.publish(found, options.json)


if __name__ == "__main__":
    main()
