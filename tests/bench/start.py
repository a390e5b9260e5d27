"""What it takes to begin: the import, the command line, a server that answers; beside bare Python and other libraries.

    python tests/bench/start.py [--quick] [--json FILE]

CPU milliseconds of the program, medians of rounds in which all take turns; the first round, which fills the disk's
cache, does not count. Of other libraries it is the import of what a turn needs.
"""

from __future__ import annotations

import os
import resource
import subprocess
import sys
import tempfile
import threading
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

HERE = Path(__file__).parent
ROOT = HERE.parent.parent
sys.path.insert(0, str(HERE / "cases"))

import contenders  # noqa: E402
import rows  # noqa: E402
from rounds import by_turns, child, times  # noqa: E402
from rows import Row, at_most  # noqa: E402

ENV = {**os.environ, "PYTHONPATH": str(ROOT)}
BARE = [sys.executable, "-c", "pass"]
TOUCHED = "import vega_trio as vega; vega.open_orchestrator, vega.Agent"
WITHIN_S = 120.0
"""What no program here takes to start; one that does has failed."""


def whole(*command: str) -> Callable[[], float]:
    """What the program takes to its end, in CPU seconds."""

    def run() -> float:
        env = ENV if command[0] == sys.executable else {**os.environ, "PYTHONPATH": str(HERE / "cases")}
        before = resource.getrusage(resource.RUSAGE_CHILDREN)
        child([*command], within_s=WITHIN_S, env=env)
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
        return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime

    return run


def server() -> float:
    """CPU seconds until `vega serve --demo` has said where it is."""
    with tempfile.TemporaryDirectory() as home:
        command = [sys.executable, "-m", "vega_trio", "serve", "--demo", "--addr", "127.0.0.1:0", "--home", home]
        with subprocess.Popen(command, env=ENV, cwd=home, stderr=subprocess.PIPE, text=True) as process:
            assert process.stderr is not None
            late = threading.Timer(WITHIN_S, process.kill)
            late.start()
            try:
                if not any(line.startswith("Dashboard:") for line in process.stderr):
                    raise RuntimeError("vega serve did not start")
                ticks = Path(f"/proc/{process.pid}/stat").read_text().rpartition(")")[2].split()[11:13]
                process.terminate()
                process.stderr.read()
            finally:
                late.cancel()
        return sum(map(int, ticks)) / os.sysconf("SC_CLK_TCK")


def run(rounds: int) -> Iterator[Row]:
    others = {
        name: whole(str(contenders.python_of(name)), "-c", f"import turn_{name}") for name in contenders.installed()
    }
    cases = {
        "python": whole(*BARE),
        "sdk": whole(sys.executable, "-c", "import anthropic, trio"),
        "import": whole(sys.executable, "-c", "import vega_trio"),
        "touch": whole(sys.executable, "-c", TOUCHED),
        "help": whole(sys.executable, "-m", "vega_trio", "--help"),
        "server": server,
        **others,
    }
    found = by_turns(cases, rounds, warm_ups=1)
    took = {name: times(found.median(name, float), 1000) for name in cases}

    def row(title: str, case: str, most: float | None = None, peers: Sequence[str] = ()) -> Row:
        names = {case: "ours", "python": "python", **{peer: peer for peer in peers}}
        failures = {shown: found.failures[name] for name, shown in names.items() if name in found.failures}
        target = at_most(most) if most is not None else None
        figures = {peer: took[peer] for peer in peers}
        return Row(title, "ms", took[case], took["python"], "python", target, figures, failures)

    yield row("import vega_trio", "import", 400)
    yield row("import what a turn needs", "touch", peers=["sdk", *others])
    yield row("vega --help", "help", 150)
    yield row("vega serve --demo ready", "server", 1500)


def main() -> None:
    options = rows.options(__doc__, "start").parse_args()
    rows.publish(run(3 if options.quick else 5), options.json)


if __name__ == "__main__":
    main()
