"""`vega run --resume`: after a kill, and after the end."""

from __future__ import annotations

import re
import subprocess

import pytest
from cli_shell import Shell

pytestmark = pytest.mark.e2e



def finish(process: subprocess.Popen[bytes]) -> tuple[int, str, str]:
    out, err = process.communicate(timeout=60)
    return process.returncode, out.decode(), err.decode()


def test_a_killed_run_goes_on_and_an_ended_one_gives_its_result(vega: Shell) -> None:
    words = ("run", "--workflow", "write", "--task", "hello", "--db", "r.db")
    process = vega.start(*words)
    assert process.stderr is not None
    begun = process.stderr.readline().decode()
    for line in iter(process.stderr.readline, b""):
        if b"[write/0] writer ..." in line:
            break
    process.kill()
    process.communicate()
    run_id = re.findall(r"run (\w+) started", begun)[0]
    first = finish(vega.start("run", "--db", "r.db", "--resume", run_id))
    assert first[0] == 0, first[2]
    assert "demo model" in first[1]
    assert finish(vega.start("run", "--db", "r.db", "--resume", run_id))[:2] == first[:2]
    refused = finish(vega.start("run", "--db", "r.db", "--resume", run_id, "--task", "x"))
    assert (refused[0], refused[1]) == (2, "")
