"""What a supervised process costs, beside the same thing in raw Trio; asyncio, and Erlang and AutoGen where installed.

    python tests/bench/kernel.py [--quick] [--only WORD] [--json FILE]

Ours has everything on: names, events, store, metrics, supervision. Costs are CPU microseconds for one operation,
medians of rounds in which all take turns, but Erlang's, which are of the wall clock; memory is what a fresh interpreter
grows by, in bytes for one idle process.
"""

from __future__ import annotations

import asyncio
import json
import shutil
import sys
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path

import attrs
import trio

HERE = Path(__file__).parent
sys.path.insert(0, str(HERE / "cases"))

import contenders  # noqa: E402
import rows  # noqa: E402
from kernel_cases import CASES, Case, Measured, our_idle, raw_idle  # noqa: E402
from rounds import by_turns, child, reason, times  # noqa: E402
from rows import Row, at_most  # noqa: E402

IDLE_TARGET = 1.2
IN_FULL = 10_000  # operations that a quick run does too: names of cases tell how many there are
WITHIN_S = 300.0
"""What nothing here takes on a machine that works; what does has failed."""


async def on_trio(run: Measured, count: int) -> float:
    with trio.fail_after(WITHIN_S):
        return await run(count) / count


async def on_asyncio(run: Measured, count: int) -> float:
    async with asyncio.timeout(WITHIN_S):
        return await run(count) / count


def measure(case: Case, rounds: int, scale: float) -> Row:
    count = case.count if case.count <= IN_FULL else max(IN_FULL, int(case.count * scale))
    turns: dict[str, Callable[[], float]] = {
        "raw Trio": partial(trio.run, on_trio, case.raw, count),
        "ours": partial(trio.run, on_trio, case.ours, count),
    }
    if case.asyncio is not None:
        measured = case.asyncio
        turns["asyncio"] = lambda: asyncio.run(on_asyncio(measured, count))
    found = by_turns(turns, rounds)
    cost = {who: times(found.median(who, float), 1e6) for who in turns}
    target = at_most(case.target, times=True)
    return Row(case.name, "us", cost.pop("ours"), cost.pop("raw Trio"), "raw Trio", target, cost, found.failures)


def memory(count: int, rounds: int) -> Row:
    found = by_turns({"raw Trio": lambda: growth("raw", count), "ours": lambda: growth("ours", count)}, rounds)
    ours, raw = found.median("ours", float), found.median("raw Trio", float)
    target = at_most(IDLE_TARGET, times=True)
    return Row(f"idle process at {count:,}", "bytes", ours, raw, "raw Trio", target, failures=found.failures)


def growth(which: str, count: int) -> float:
    """Bytes for one more idle process, in an interpreter of its own."""
    few = 10
    empty, full = (
        int(child([sys.executable, __file__, "--idle", which, str(number)], within_s=WITHIN_S))
        for number in (few, count)
    )
    return (full - empty) / (count - few)


@attrs.frozen
class Other:
    """A runtime that measures itself: its figures by row name, or why it has none."""

    figures: dict[str, float] = attrs.field(factory=dict)
    failure: str = ""

    def add_to(self, row: Row, name: str, key: str) -> None:
        if self.failure:
            row.peers[name], row.failures[name] = None, self.failure
        elif key in self.figures:
            row.peers[name] = self.figures[key]


def erlang(quick: bool) -> Other:
    if shutil.which("escript") is None:
        return Other()
    return measured_by(["escript", str(HERE / "kernel.escript"), *(["--quick"] if quick else [])])


def autogen(quick: bool) -> Other:
    if "autogen" not in contenders.installed():
        return Other()
    script = HERE / "cases" / "kernel_autogen.py"
    return measured_by([str(contenders.python_of("autogen")), str(script), "1000" if quick else "10000"])


def measured_by(command: list[str]) -> Other:
    try:
        return Other(json.loads(child(command, within_s=WITHIN_S)))
    except Exception as error:  # whatever it was: a peer's failure is a cell, not the end of the run
        return Other(failure=reason(error))


def run(*, quick: bool, only: str) -> Iterator[Row]:
    rounds, scale = (3, 0.1) if quick else (5, 1.0)
    others = {"erlang": erlang(quick), "autogen": autogen(quick)}
    for case in (each for each in CASES if only in each.name):
        row = measure(case, rounds, scale)
        for name, other in others.items():
            other.add_to(row, name, case.erlang)
        yield row
    for count in (10_000,) if quick else (10_000, 100_000):
        if only in "idle process":
            row = memory(count, 1 if quick else 3)
            others["erlang"].add_to(row, "erlang", f"idle_{count}")
            yield row


def main() -> None:
    parser = rows.options(__doc__, "kernel")
    parser.add_argument("--only", default="", metavar="WORD", help="only cases with this in their name")
    parser.add_argument("--idle", nargs=2, metavar=("WHICH", "COUNT"), help="for its own use: idle processes")
    options = parser.parse_args()
    if options.idle:
        which, count = options.idle
        trio.run(raw_idle if which == "raw" else our_idle, int(count))
        return
    rows.publish(run(quick=options.quick, only=options.only), options.json, trio=trio.__version__)


if __name__ == "__main__":
    main()
