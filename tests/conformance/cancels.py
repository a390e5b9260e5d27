"""The cancellation audit: turns are cancelled at points spread over their whole length, by us and by other libraries.

    python tests/conformance/cancels.py

The turn calls a tool of 20 ms five times. A cancel is clean when its caller sees it, no tool has an effect after that,
and no task is left. Ours is a process whose block is left; with the others it is the task that runs the turn, as
asyncio has it. Libraries that are not installed (`make bench-peers`) are left out. Fails when one of ours is unclean.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

HERE = Path(__file__).parent
ROOT = HERE.parent.parent
CASES = ROOT / "tests" / "bench" / "cases"
sys.path.insert(0, str(CASES))
import contenders  # noqa: E402

CANCELS = 40


def audit(name: str, env: dict[str, str]) -> dict[str, int] | None:
    """{"clean", "of", "effects", "tasks", "unseen"}: the last three are what was unclean; None when it failed."""
    own = name == "ours"
    python = sys.executable if own else str(contenders.python_of(name))
    path = os.pathsep.join([str(CASES), *([str(ROOT)] if own else [])])
    done = subprocess.run(
        [python, str(HERE / "cancels_worker.py"), name, str(CANCELS)],
        env={**os.environ, **env, "PYTHONPATH": path}, capture_output=True, text=True, timeout=300,
    )  # fmt: skip
    if done.returncode:
        sys.stderr.write(done.stderr[-2000:])
        return None
    found: dict[str, int] = json.loads(done.stdout.splitlines()[-1])
    return found


def main() -> int:
    content = False
    with contenders.model_server() as env:
        for name in ("ours", *contenders.installed()):
            found = audit(name, env)
            if found is None:
                sys.stdout.write(f"cancels: {name} failed\n")
                continue
            sys.stdout.write(f"cancels: {name} {found['clean']} of {found['of']} clean")
            sys.stdout.write(f" ({', '.join(f'{key} {found[key]}' for key in ('effects', 'tasks', 'unseen'))})\n")
            content = content or (name == "ours" and found["clean"] == found["of"] == CANCELS)
    return int(not content)


if __name__ == "__main__":
    sys.exit(main())
