"""Sends what schemathesis makes of the API's own description to real servers: nothing may answer 500.

    python tests/conformance/api.py [--cases N] [--jobs N] [--seed N]

Without `--cases` a round of about a minute: the boundary cases that the description has, then random ones. With it
as many random cases as that, round after round, each with a seed and a server of its own, since lists that nobody ever
empties grow and answer slower and slower. All operations take part; of streams the beginning is read.

schemathesis is installed into an environment of its own, `schemathesis` in `.peers` or `VEGA_PEERS`.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import subprocess
import sys
import tempfile
import time
import venv
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import Any

HERE = Path(__file__).parent
ROOT = HERE.parents[1]
VERSION = "4.32.5"
STREAMS = "/stream$|/api/events$"  # schemathesis reads an answer to its end, which these do not have
ROUND, LONG_ROUND = 24, 160  # examples of each operation
ROUND_S = 900.0


def installed() -> Path:
    """The folder of schemathesis's programs, Python among them."""
    home = Path(os.environ.get("VEGA_PEERS") or ROOT / ".peers") / "schemathesis"
    if not (home / "bin" / "schemathesis").exists():
        venv.create(home, with_pip=True)
        subprocess.run([home / "bin" / "pip", "install", "--quiet", f"schemathesis=={VERSION}"], check=True)
    return home / "bin"


@contextmanager
def serving(folder: str) -> Iterator[str]:
    command = [sys.executable, str(HERE / "api_server.py"), folder]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, cwd=ROOT) as server:
        assert server.stdout is not None
        try:
            yield server.stdout.readline().strip()
        finally:
            server.terminate()


def boundaries(programs: Path, url: str, folder: str, seed: int) -> int:
    """The cases at the edges of the description; schemathesis's own exit code."""
    asked = [programs / "schemathesis", "run", f"{url}/api/openapi.json", "--checks", "not_a_server_error"]
    asked += ["--phases", "examples,coverage", "--request-timeout", "10", "--seed", str(seed)]
    return subprocess.run([*asked, "--exclude-path-regex", STREAMS], cwd=folder).returncode


def random_cases(programs: Path, url: str, folder: str, seed: int, examples: int) -> dict[str, Any]:
    """What became of one round."""
    command = [programs / "python", HERE / "api_cases.py", url, str(examples), str(seed), str(ROUND_S)]
    done = subprocess.run(command, cwd=folder, stdout=subprocess.PIPE, text=True, check=True)
    told: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return told


def fuzz(programs: Path, seed: int) -> dict[str, Any]:
    with tempfile.TemporaryDirectory(prefix="vega-api-") as folder, serving(folder) as url:
        return random_cases(programs, url, folder, seed, LONG_ROUND)


def one_round(programs: Path, seed: int) -> int:
    with tempfile.TemporaryDirectory(prefix="vega-api-") as folder, serving(folder) as url:
        refused = boundaries(programs, url, folder, seed)
        told = random_cases(programs, url, folder, seed, ROUND)
    return refused or report([told])


def many_rounds(programs: Path, cases: int, jobs: int, seed: int) -> int:
    """Rounds until there were as many cases, `jobs` at a time."""
    told: list[dict[str, Any]] = []
    begun = time.monotonic()
    with ThreadPoolExecutor(jobs) as pool:
        seen = 0
        while seen < cases:
            latest = list(pool.map(lambda number: fuzz(programs, number), range(seed, seed + jobs)))
            for failure in [failure for each in latest for failure in each["failures"]]:
                print(failure, flush=True)
            told += latest
            seed += jobs
            seen = sum(each["cases"] for each in told)
            speed = seen / (time.monotonic() - begun)
            failures = sum(len(each["failures"]) for each in told)
            print(f"{seen} cases, {speed:.0f}/s, {failures} failures", flush=True)
    return report(told)


def report(told: list[dict[str, Any]]) -> int:
    statuses: Counter[str] = Counter()
    slow: Counter[str] = Counter()
    for each in told:
        statuses.update(each["statuses"])
        slow.update(each["seconds"])
    failures = [failure for each in told for failure in each["failures"]]
    cases, operations = sum(each["cases"] for each in told), max(each["operations"] for each in told)
    print(f"{cases} cases of {operations} operations; statuses {dict(sorted(statuses.items()))}")
    print(f"the longest, in seconds: {dict(slow.most_common(5))}")
    for failure in failures:
        print(failure)
    return 1 if failures else 0


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--cases", type=int, help="as many, in rounds")
    parser.add_argument("--jobs", type=int, default=2, help="rounds at a time (default: 2)")
    parser.add_argument("--seed", type=int, help="of the first round (default: 1 in CI, else any)")
    options = parser.parse_args()
    seed = options.seed or (1 if os.environ.get("CI") else random.randrange(1, 2**31))
    print(f"seed {seed}")
    programs = installed()
    if options.cases is None:
        return one_round(programs, seed)
    return many_rounds(programs, options.cases, options.jobs, seed)


if __name__ == "__main__":
    sys.exit(main())
