"""`vega run --resume`: after a kill, and after the end."""

from __future__ import annotations

import re
import sqlite3
import subprocess
import threading
from contextlib import closing

import pytest
from cli_shell import Shell

pytestmark = pytest.mark.e2e
LONGEST_S = 60.0


def finish(process: subprocess.Popen[bytes]) -> tuple[int, str, str]:
    out, err = process.communicate(timeout=LONGEST_S)
    return process.returncode, out.decode(), err.decode()


def killed_run(vega: Shell, task: str) -> str:
    """The id of a run in `r.db` whose program was killed in its first step."""
    process = vega.start("run", "--workflow", "write", "--task", task, "--db", "r.db")
    assert process.stderr is not None
    guard = threading.Timer(LONGEST_S, process.kill)
    guard.start()
    begun = process.stderr.readline().decode()
    assert any(b"[write/0] writer ..." in line for line in iter(process.stderr.readline, b""))
    guard.cancel()
    process.kill()
    process.communicate()
    return str(re.findall(r"run (\w+) started", begun)[0])


def runs(vega: Shell) -> dict[str, str]:
    with closing(sqlite3.connect(vega.cwd / "r.db")) as connection:
        return dict(connection.execute("SELECT key, json_extract(row, '$.status') FROM wf_run"))


def test_only_the_run_that_is_named_goes_on(vega: Shell) -> None:
    one, other = killed_run(vega, "one"), killed_run(vega, "another")
    assert runs(vega) == {one: "running", other: "running"}
    code, out, err = finish(vega.start("run", "--db", "r.db", "--resume", other))
    assert (code, "[write/0] writer" in err) == (0, True), err
    assert "demo model" in out
    assert runs(vega) == {one: "running", other: "completed"}
    code, out, err = finish(vega.start("run", "--db", "r.db", "--resume", one))
    assert code == 0, err
    assert runs(vega) == {one: "completed", other: "completed"}


def test_a_killed_run_goes_on_and_an_ended_one_gives_its_result(vega: Shell) -> None:
    run_id = killed_run(vega, "hello")
    first = finish(vega.start("run", "--db", "r.db", "--resume", run_id))
    assert first[0] == 0, first[2]
    assert "demo model" in first[1]
    assert finish(vega.start("run", "--db", "r.db", "--resume", run_id))[:2] == first[:2]
    refused = finish(vega.start("run", "--db", "r.db", "--resume", run_id, "--task", "x"))
    assert (refused[0], refused[1]) == (2, "")
