"""Holds resuming to `crashresume`: a program killed right after each effect loses no state and repeats none.

    python tests/conformance/resume.py

The subject is a real program on a file store (`resume_child.py`), and its death a SIGKILL. The kit counts the effects
that its tools had, and compares what the store tells after the resumed run with an undisturbed one.
"""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

import attrs
from kits import open_kits

open_kits()
from crashresume import Context, InjectedCrash, conform  # noqa: E402

HERE = Path(__file__).parent
JOBS = ["one", "two", "three"]


@attrs.define
class Subject:
    """What the kit drives: each has a program of its own, on the database of its scenario."""

    _ctx: Context
    _database: Path
    _program: subprocess.Popen[str] | None = None

    def step(self, job: str) -> None:
        self._ask({"job": job})

    def state(self) -> dict[str, Any]:
        """Called last, on the program that has not died."""
        state: dict[str, Any] = self._ask({"state": JOBS})
        self._end()
        return state

    def _ask(self, order: dict[str, Any]) -> dict[str, Any]:
        """The answer to an order, with the effects of its tools on the way.

        Raises: InjectedCrash, when the kit has the program die.
        """
        if self._program is None:
            command = [sys.executable, str(HERE / "resume_child.py"), str(self._database)]
            self._program = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        self._say(order)
        while True:
            said = self._hear()
            if "effect" not in said:
                return said
            try:
                self._ctx.effect("charge", said["effect"], key=said["effect"])
            except InjectedCrash:
                self._program.kill()
                self._end()
                raise
            self._say({"ok": True})

    def _say(self, order: dict[str, Any]) -> None:
        assert self._program is not None
        assert self._program.stdin is not None
        self._program.stdin.write(json.dumps(order) + "\n")
        self._program.stdin.flush()

    def _hear(self) -> dict[str, Any]:
        assert self._program is not None
        assert self._program.stdout is not None
        line = self._program.stdout.readline()
        if not line:
            raise RuntimeError(f"the program has ended with {self._program.wait()}")
        said: dict[str, Any] = json.loads(line)
        return said

    def _end(self) -> None:
        if self._program is not None:
            program, self._program = self._program, None
            program.communicate(timeout=30)


def main() -> int:
    with tempfile.TemporaryDirectory(prefix="resume-") as folder:
        report = conform(lambda ctx: Subject(ctx, Path(folder, f"{ctx.run_id}.db")), JOBS)
    held = report.crash_points - len({finding.crash_after for finding in report.findings})
    sys.stdout.write(f"crashresume: {held} of {report.crash_points} crash points survived\n")
    for finding in report.findings:
        sys.stdout.write(f"  {finding.kind} after effect {finding.crash_after}: {finding.detail}\n")
    return int(held < report.crash_points or report.crash_points < 2 * len(JOBS))


if __name__ == "__main__":
    sys.exit(main())
