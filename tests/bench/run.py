"""Runs all benchmarks, one after the other, and writes one table and one picture: `make bench`.

    python tests/bench/run.py [--quick] [--docs] [BENCHMARK ...]

Writes `build/bench/results.json`, `table.md` and `bench.svg`; with `--docs` also the table and the picture that
docs/benchmarks.md shows. A target that is missed is marked in the table and fails nothing: the machines are shared.
"""

from __future__ import annotations

import argparse
import datetime
import json
import os
import platform
import re
import subprocess
import sys
from pathlib import Path

import attrs

HERE = Path(__file__).parent
ROOT = HERE.parent.parent
sys.path.insert(0, str(HERE / "cases"))

import contenders  # noqa: E402
import rows  # noqa: E402
from picture import picture  # noqa: E402
from rounds import reason  # noqa: E402
from rows import Row  # noqa: E402

BENCHMARKS = {
    "kernel": "Processes",
    "turn": "Turns",
    "serve": "The server",
    "store": "The store",
    "dsl": "The language",
    "start": "Starting",
}
"""In the order of the table, with their titles there."""
WITHIN_S = 1800.0
"""For one benchmark: several times what the longest takes on a quiet machine."""
DOCS = ROOT / "docs" / "benchmarks.md"
SHOWN = re.compile(r"(<!-- results -->\n).*?(<!-- end of results -->)", re.DOTALL)


@attrs.frozen
class Part:
    """The rows of a benchmark, and why there are not more of them; empty when there are all."""

    rows: list[Row]
    failure: str = ""


def run(name: str, out: Path, *, quick: bool) -> Part:
    """Runs one in a program of its own. What fails there as a whole leaves the rows that it had written."""
    command = [sys.executable, str(HERE / f"{name}.py"), "--json", str(out), *(["--quick"] if quick else [])]
    sys.stdout.write(f"\n== {BENCHMARKS[name]} ({name}.py)\n")
    sys.stdout.flush()
    path = os.pathsep.join([str(ROOT), os.environ.get("PYTHONPATH", "")]).rstrip(os.pathsep)
    out.unlink(missing_ok=True)
    try:
        subprocess.run(command, check=True, cwd=ROOT, env={**os.environ, "PYTHONPATH": path}, timeout=WITHIN_S)
    except (subprocess.CalledProcessError, subprocess.TimeoutExpired) as error:
        return Part(rows.read(out) if out.exists() else [], f"{name}.py is not whole: {reason(error)}")
    return Part(rows.read(out))


def about(quick: bool) -> str:
    """What ran where, in a sentence."""
    memory = os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE") / 2**30
    others = ", ".join(
        pin[0].replace("==", " ") for name, pin in contenders.PINNED.items() if name in contenders.installed()
    )
    load = os.getloadavg()[0] / (os.cpu_count() or 1)
    return (
        f"{datetime.datetime.now(datetime.UTC):%Y-%m-%d}, {'a quick run, ' if quick else ''}"
        f"{os.cpu_count()} cores, {memory:.0f} GiB, {platform.system()} {platform.machine()}, "
        f"Python {platform.python_version()}; load at the end {load:.1f} a core. "
        f"Peers: {others or 'none installed'}."
    )


def whole(found: dict[str, Part], told: str) -> str:
    """The table in markdown, a part for each benchmark, under each why cells or rows are missing."""
    judged = [row.met for each in found.values() for row in each.rows if row.met is not None]
    parts = [f"{told} {sum(judged)} of {len(judged)} targets met.\n"]
    for name, each in found.items():
        pieces = [f"### {BENCHMARKS[name]}", rows.explained(each.rows) if each.rows else "", each.failure]
        parts.append("\n\n".join(filter(None, pieces)) + "\n")
    return "\n".join(parts)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--quick", action="store_true", help="a part of the work, for a first look")
    parser.add_argument("--docs", action="store_true", help="put the results into docs/benchmarks.md")
    parser.add_argument("benchmarks", nargs="*", metavar="BENCHMARK", help=f"of {', '.join(BENCHMARKS)}; default: all")
    options = parser.parse_args()
    unknown = set(options.benchmarks) - set(BENCHMARKS)
    if unknown:
        parser.error(f"there is no benchmark {', '.join(sorted(unknown))}; there are {', '.join(BENCHMARKS)}")
    out = ROOT / rows.RESULTS
    chosen = [name for name in BENCHMARKS if name in options.benchmarks or not options.benchmarks]
    found = {name: run(name, out / f"{name}.json", quick=options.quick) for name in chosen}
    told = about(options.quick)
    table, drawn = whole(found, told), picture({name: each.rows for name, each in found.items()})
    results = {name: json.loads(path.read_text()) for name in chosen if (path := out / f"{name}.json").exists()}
    (out / "results.json").write_text(json.dumps({"about": told, "benchmarks": results}, indent=2) + "\n")
    (out / "table.md").write_text(table)
    (out / "bench.svg").write_text(drawn)
    if options.docs:
        DOCS.write_text(SHOWN.sub(lambda match: f"{match[1]}{table}{match[2]}", DOCS.read_text()))
        DOCS.with_suffix(".svg").write_text(drawn)
    sys.stdout.write(f"\n{told}\nwritten: {out.relative_to(ROOT)}/table.md, results.json, bench.svg\n")


if __name__ == "__main__":
    main()
