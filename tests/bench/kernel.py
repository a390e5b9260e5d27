"""What a supervised process costs, beside the same thing in raw Trio and, where `escript` is found, in Erlang.

    python tests/bench/kernel.py [--quick] [--only WORD] [--json FILE]

Ours has everything on: names, events, store, metrics, supervision. Costs are CPU microseconds for one operation,
medians of rounds in which raw and ours take turns; memory is what a fresh interpreter grows by, in bytes for one idle
process. A ratio above its target is marked.
"""

from __future__ import annotations

import argparse
import json
import shutil
import statistics
import subprocess
import sys
from pathlib import Path
from typing import Any

import trio

HERE = Path(__file__).parent
sys.path.insert(0, str(HERE / "cases"))

from kernel_cases import CASES, Case, our_idle, raw_idle  # noqa: E402

IDLE_TARGET = 1.2


def measure(case: Case, rounds: int, scale: float) -> dict[str, Any]:
    count = case.count if case.count <= 1000 else max(1000, int(case.count * scale))
    pairs = [(trio.run(case.raw, count) / count, trio.run(case.ours, count) / count) for _ in range(rounds)]
    raw, ours = (statistics.median(each) * 1e6 for each in zip(*pairs, strict=True))
    return {"case": case.name, "unit": "us", "raw": raw, "ours": ours, "target": case.target}


def memory(count: int, rounds: int) -> dict[str, Any]:
    raw = statistics.median(growth("raw", count) for _ in range(rounds))
    ours = statistics.median(growth("ours", count) for _ in range(rounds))
    return {"case": f"idle process at {count:,}", "unit": "bytes", "raw": raw, "ours": ours, "target": IDLE_TARGET}


def growth(which: str, count: int) -> float:
    """Bytes for one more idle process, in an interpreter of its own."""
    empty, full = (
        int(subprocess.run([sys.executable, __file__, "--idle", which, str(number)],
                           capture_output=True, text=True, check=True).stdout)
        for number in (10, count)
    )  # fmt: skip
    return (full - empty) / count


def erlang(quick: bool) -> dict[str, float]:
    """The same operations in Erlang, by row name; wall-clock microseconds, as the BEAM has threads of its own."""
    if shutil.which("escript") is None:
        return {}
    command = ["escript", str(HERE / "kernel.escript"), *(["--quick"] if quick else [])]
    done = subprocess.run(command, capture_output=True, text=True, check=True, timeout=600)
    return dict(json.loads(done.stdout))


def table(rows: list[dict[str, Any]]) -> str:
    lines = [f"{'':38}{'raw':>10}{'ours':>10}{'ratio':>9}{'target':>9}{'erlang':>10}"]
    for row in rows:
        late = "" if row["ratio"] <= row["target"] else "  <- above"
        other = f"{row['erlang']:10.2f}" if row["erlang"] is not None else f"{'':10}"
        name = f"{row['case']}, {row['unit']}"
        lines.append(f"{name:38}{row['raw']:10.2f}{row['ours']:10.2f}{row['ratio']:9.2f}{row['target']:9.2f}{other}{late}")
    return "\n".join(lines)


def run(options: argparse.Namespace) -> list[dict[str, Any]]:
    rounds, scale = (3, 0.1) if options.quick else (5, 1.0)
    beam = erlang(options.quick)
    rows = [
        {**measure(case, rounds, scale), "erlang": beam.get(case.erlang)} for case in CASES if options.only in case.name
    ]
    for count in (10_000,) if options.quick else (10_000, 100_000):
        if options.only in "idle process":
            row = memory(count, 1 if options.quick or count > 10_000 else 3)
            rows.append({**row, "erlang": beam.get(f"idle_{count}")})
    for row in rows:
        row["ratio"] = row["ours"] / row["raw"]
    return rows


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--quick", action="store_true", help="a tenth of the work, for a first look")
    parser.add_argument("--only", default="", metavar="WORD", help="only cases with this in their name")
    parser.add_argument("--json", type=Path, default=Path("build/bench/kernel.json"), help="default: %(default)s")
    parser.add_argument("--idle", nargs=2, metavar=("WHICH", "COUNT"), help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.idle:
        which, count = options.idle
        trio.run(raw_idle if which == "raw" else our_idle, int(count))
        return
    rows = run(options)
    print(table(rows))
    options.json.parent.mkdir(parents=True, exist_ok=True)
    result = {"python": sys.version.split()[0], "trio": trio.__version__, "rows": rows}
    options.json.write_text(json.dumps(result, indent=2) + "\n")


if __name__ == "__main__":
    main()
