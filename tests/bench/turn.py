"""What a turn costs beside the bare Anthropic SDK, and beside other libraries where they are installed.

    python tests/bench/turn.py [--quick] [--only WORD] [--json FILE]

All talk to one server on loopback in a process of its own. Costs are CPU milliseconds of one turn, medians of rounds in
which all take turns; the crowds are turns a second by the wall clock with a model that takes 20 ms. A ratio to the SDK
that misses its target is marked.
"""

from __future__ import annotations

import argparse
import importlib.util
import json
import os
import statistics
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

HERE = Path(__file__).parent
sys.path[:0] = [str(HERE / "cases"), str(HERE.parent.parent)]

CASES = [
    # name, model, turns, at once, highest ratio to the SDK
    ("plain turn", "plain", 200, 1, 1.3),
    ("100-delta stream", "deltas", 50, 1, 0.5),
    ("five-tool loop", "tools", 40, 1, 1.3),
]
CROWDS = [("1 agent, 20 ms model", 1, 20), ("50 agents, 20 ms model", 50, 500), ("500 agents, 20 ms model", 500, 2000)]


@contextmanager
def server() -> Iterator[None]:
    command = [sys.executable, str(HERE / "cases" / "turn_server.py")]
    env = {**os.environ, "PYTHONPATH": str(HERE.parent.parent)}
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, env=env) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        os.environ |= {"ANTHROPIC_BASE_URL": process.stdout.readline().strip(), "ANTHROPIC_API_KEY": "bench"}
        yield
        process.stdin.close()


def contenders() -> dict[str, Any]:
    from turn_cases import OTHERS, ours, sdk

    return {"sdk": sdk, "ours": ours} | {
        name: run for name, run in OTHERS.items() if importlib.util.find_spec(name) is not None
    }


def measure(name: str, model: str, turns: int, at_once: int, rounds: int, *, wall: bool) -> dict[str, Any]:
    found: dict[str, list[float]] = {}
    for _ in range(rounds):
        for who, run in contenders().items():
            cost = run(model, turns, at_once)
            figure = turns / cost.wall_s if wall else cost.cpu_s / turns * 1000
            found.setdefault(who, []).append(figure)
    figures = {who: statistics.median(each) for who, each in found.items()}
    return {"case": name, "unit": "turns/s" if wall else "ms", **figures}


def memory(count: int) -> dict[str, Any]:
    """Kilobytes for one more agent that has had a turn, in an interpreter of its own."""
    few, many = (
        int(subprocess.run([sys.executable, __file__, "--resident", str(n)], capture_output=True, text=True,
                           check=True).stdout)
        for n in (10, count)
    )  # fmt: skip
    return {"case": f"agent after a turn, of {count}", "unit": "kB", "ours": (many - few) / (count - 10) / 1024}


async def resident(count: int) -> None:
    import vega_trio as vega

    async with vega.open_orchestrator(model="anthropic:plain", max_processes=count + 1) as orch:
        for _ in range(count):
            await (await orch.spawn(vega.Agent(name="bench"))).send("hi")
        print(int(Path("/proc/self/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE"))


def rows(options: argparse.Namespace) -> Iterator[dict[str, Any]]:
    rounds, scale = (3, 4) if options.quick else (5, 1)
    for name, model, turns, at_once, target in CASES:
        if options.only in name:
            row = measure(name, model, turns // scale, at_once, rounds, wall=False)
            yield {**row, "ratio": row["ours"] / row["sdk"], "target": target}
    for name, at_once, turns in CROWDS:
        if options.only in name:
            row = measure(name, "plain-20ms", max(at_once, turns // scale), at_once, rounds, wall=True)
            yield {**row, "ratio": row["sdk"] / row["ours"], "target": 1.0}
    if options.only in "memory":
        yield memory(200 if options.quick else 1000)


def table(found: list[dict[str, Any]]) -> str:
    known = ("case", "unit", "ratio", "target")
    names = list(dict.fromkeys(key for row in found for key in row if key not in known))
    lines = [f"{'':34}" + "".join(f"{name:>13}" for name in names) + f"{'ratio':>9}{'target':>9}"]
    for row in found:
        figures = "".join(f"{row[name]:13.2f}" if name in row else f"{'':13}" for name in names)
        line = f"{row['case'] + ', ' + row['unit']:34}{figures}"
        if "ratio" in row:
            missed = "" if row["ratio"] <= row["target"] else "  <- misses"
            line += f"{row['ratio']:9.2f}{row['target']:9.2f}{missed}"
        lines.append(line)
    return "\n".join(lines)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--quick", action="store_true", help="a quarter of the work, for a first look")
    parser.add_argument("--only", default="", metavar="WORD", help="only cases with this in their name")
    parser.add_argument("--json", type=Path, default=Path("build/bench/turn.json"), help="default: %(default)s")
    parser.add_argument("--resident", type=int, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.resident:
        import trio

        trio.run(resident, options.resident)
        return
    with server():
        found = list(rows(options))
    print(table(found))
    options.json.parent.mkdir(parents=True, exist_ok=True)
    options.json.write_text(json.dumps({"python": sys.version.split()[0], "rows": found}, indent=2) + "\n")


if __name__ == "__main__":
    main()
