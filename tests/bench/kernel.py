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
import statistics
import subprocess
import sys
from pathlib import Path

import trio

HERE = Path(__file__).parent
sys.path.insert(0, str(HERE / "cases"))

import contenders  # noqa: E402
import rows  # noqa: E402
from kernel_cases import CASES, Case, our_idle, raw_idle  # noqa: E402
from rows import Row, at_most  # noqa: E402

IDLE_TARGET = 1.2


def measure(case: Case, rounds: int, scale: float) -> Row:
    count = case.count if case.count <= 1000 else max(1000, int(case.count * scale))
    found: dict[str, list[float]] = {}
    for _ in range(rounds):
        found.setdefault("raw", []).append(trio.run(case.raw, count) / count)
        found.setdefault("ours", []).append(trio.run(case.ours, count) / count)
        if case.asyncio is not None:
            found.setdefault("asyncio", []).append(asyncio.run(case.asyncio(count)) / count)
    cost = {who: statistics.median(each) * 1e6 for who, each in found.items()}
    target = at_most(case.target, times=True)
    return Row(case.name, "us", cost.pop("ours"), cost.pop("raw"), "raw Trio", target, cost)


def memory(count: int, rounds: int) -> Row:
    raw = statistics.median(growth("raw", count) for _ in range(rounds))
    ours = statistics.median(growth("ours", count) for _ in range(rounds))
    return Row(f"idle process at {count:,}", "bytes", ours, raw, "raw Trio", at_most(IDLE_TARGET, times=True))


def growth(which: str, count: int) -> float:
    """Bytes for one more idle process, in an interpreter of its own."""
    empty, full = (
        int(subprocess.run([sys.executable, __file__, "--idle", which, str(number)],
                           capture_output=True, text=True, check=True).stdout)
        for number in (10, count)
    )  # fmt: skip
    return (full - empty) / count


def erlang(quick: bool) -> dict[str, float]:
    """The same operations in Erlang, by row name."""
    if shutil.which("escript") is None:
        return {}
    command = ["escript", str(HERE / "kernel.escript"), *(["--quick"] if quick else [])]
    done = subprocess.run(command, capture_output=True, text=True, check=True, timeout=600)
    return dict(json.loads(done.stdout))


def autogen(quick: bool) -> dict[str, float]:
    """The same with AutoGen's runtime, by row name."""
    if "autogen" not in contenders.installed():
        return {}
    command = [contenders.python_of("autogen"), HERE / "cases" / "kernel_autogen.py", "1000" if quick else "10000"]
    return dict(json.loads(subprocess.run(command, capture_output=True, text=True, check=True).stdout))


def run(*, quick: bool, only: str) -> list[Row]:
    rounds, scale = (3, 0.1) if quick else (5, 1.0)
    others = {"erlang": erlang(quick), "autogen": autogen(quick)}
    found = []
    for case in (each for each in CASES if only in each.name):
        row = measure(case, rounds, scale)
        row.peers.update({name: figures[case.erlang] for name, figures in others.items() if case.erlang in figures})
        found.append(row)
    for count in (10_000,) if quick else (10_000, 100_000):
        if only in "idle process":
            row = memory(count, 1 if quick or count > 10_000 else 3)
            if f"idle_{count}" in others["erlang"]:
                row.peers["erlang"] = others["erlang"][f"idle_{count}"]
            found.append(row)
    return found


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
