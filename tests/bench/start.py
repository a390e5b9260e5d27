"""What it takes to begin: the import, the command line, a server that answers; beside bare Python and other libraries.

    python tests/bench/start.py [--quick] [--json FILE]

CPU milliseconds of the program, medians of rounds in which all take turns; the first round, which fills the disk's
cache, does not count. Of other libraries it is the import of what a turn needs.
"""

from __future__ import annotations

import os
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path

HERE = Path(__file__).parent
ROOT = HERE.parent.parent
sys.path.insert(0, str(HERE / "cases"))

import contenders  # noqa: E402
import rows  # noqa: E402
from rows import Row, at_most  # noqa: E402

ENV = {**os.environ, "PYTHONPATH": str(ROOT)}
BARE = [sys.executable, "-c", "pass"]
TOUCHED = "import vega_trio as vega; vega.open_orchestrator, vega.Agent"


def whole(*command: str | Path) -> Callable[[], float]:
    """What the program takes to its end, in CPU seconds."""

    def run() -> float:
        env = ENV if command[0] == sys.executable else {**os.environ, "PYTHONPATH": str(HERE / "cases")}
        with subprocess.Popen(command, env=env, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as process:
            _, status, used = os.wait4(process.pid, 0)
            process.returncode = os.waitstatus_to_exitcode(status)
        if process.returncode:
            raise subprocess.CalledProcessError(process.returncode, list(command))
        return used.ru_utime + used.ru_stime

    return run


def server() -> float:
    """CPU seconds until `vega serve --demo` has said where it is."""
    with tempfile.TemporaryDirectory() as home:
        command = [sys.executable, "-m", "vega_trio", "serve", "--demo", "--addr", "127.0.0.1:0", "--home", home]
        with subprocess.Popen(command, env=ENV, cwd=home, stderr=subprocess.PIPE, text=True) as process:
            assert process.stderr is not None
            if not any(line.startswith("Dashboard:") for line in process.stderr):
                raise RuntimeError("vega serve did not start")
            ticks = Path(f"/proc/{process.pid}/stat").read_text().rpartition(")")[2].split()[11:13]
            process.terminate()
            process.stderr.read()
        return sum(map(int, ticks)) / os.sysconf("SC_CLK_TCK")


def measure(cases: dict[str, Callable[[], float]], rounds: int) -> dict[str, float]:
    """Milliseconds by name."""
    found: dict[str, list[float]] = {name: [] for name in cases}
    for number in range(rounds + 1):
        for name, run in cases.items():
            took = run() * 1000
            if number:
                found[name].append(took)
    return {name: statistics.median(each) for name, each in found.items()}


def main() -> None:
    options = rows.options(__doc__, "start").parse_args()
    others = {name: whole(contenders.python_of(name), "-c", f"import turn_{name}") for name in contenders.installed()}
    cases = {
        "bare": whole(*BARE),
        "sdk": whole(sys.executable, "-c", "import anthropic, trio"),
        "import": whole(sys.executable, "-c", "import vega_trio"),
        "touch": whole(sys.executable, "-c", TOUCHED),
        "help": whole(sys.executable, "-m", "vega_trio", "--help"),
        "server": server,
        **others,
    }
    took = measure(cases, 3 if options.quick else 7)
    bare, peers = took["bare"], {"sdk": took["sdk"], **{name: took[name] for name in others}}
    found = [
        Row("import vega_trio", "ms", took["import"], bare, "python", at_most(400)),
        Row("import what a turn needs", "ms", took["touch"], bare, "python", peers=peers),
        Row("vega --help", "ms", took["help"], bare, "python", at_most(150)),
        Row("vega serve --demo ready", "ms", took["server"], bare, "python", at_most(1500)),
    ]
    rows.publish(found, options.json)


if __name__ == "__main__":
    main()
