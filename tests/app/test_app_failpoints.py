"""Failpoints as the environment sets them, and what the application does with a disk that fails."""

from __future__ import annotations

import errno
import signal
import sqlite3
import subprocess
import sys
from pathlib import Path

import pytest
import trio

import vega_trio as vega
from vega_trio.app.admission import MAX_PENDING
from vega_trio.app.failpoints import failpoint_of, no_failpoint
from vega_trio.store.memory import MemoryStore
from vega_trio.testing import ScriptedModel


def test_without_the_variable_there_is_none() -> None:
    assert failpoint_of({}) is no_failpoint
    assert failpoint_of({"VEGA_FAILPOINT": ""}) is no_failpoint


def test_it_acts_once_at_the_pass_that_is_named() -> None:
    failpoint = failpoint_of({"VEGA_FAILPOINT": "before_effect:3:eio"})
    for name in ("before_effect", "after_effect", "before_effect", "after_effect", "before_ack"):
        failpoint(name)
    with pytest.raises(OSError, match="Input/output error") as raised:
        failpoint("before_effect")
    assert raised.value.errno == errno.EIO
    failpoint("before_effect")


def test_in_the_store_it_fails_as_sqlite_does() -> None:
    with pytest.raises(sqlite3.OperationalError, match="full") as raised:
        failpoint_of({"VEGA_FAILPOINT": "in_commit:1:enospc"})("in_commit")
    assert raised.value.sqlite_errorcode == sqlite3.SQLITE_FULL


@pytest.mark.parametrize(
    ("text", "finding"),
    [
        ("before_efect:1", "did you mean 'before_effect'"),
        ("before_ack", "N must be a number from 1"),
        ("before_ack:0", "N must be a number from 1"),
        ("before_ack:1:explode", "no action 'explode'"),
    ],
)
def test_a_wrong_one_is_refused_by_name(text: str, finding: str) -> None:
    with pytest.raises(vega.ConfigError, match=finding):
        failpoint_of({"VEGA_FAILPOINT": text})


_OPEN = """
import sys, trio, vega_trio as vega

async def main():
    async with vega.open_app(store=sys.argv[1]):
        pass

trio.run(main)
"""


@pytest.mark.e2e
@pytest.mark.parametrize("number", [1, 2])
def test_a_kill_inside_a_migration_leaves_no_half_database(tmp_path: Path, number: int) -> None:
    command = [sys.executable, "-c", _OPEN, str(tmp_path / "vega.db")]
    env = {"VEGA_FAILPOINT": f"in_migration:{number}", "VEGA_HOME": str(tmp_path), "PYTHONPATH": ":".join(sys.path)}
    assert subprocess.run(command, env=env, check=False, timeout=60).returncode == -signal.SIGKILL
    assert not (tmp_path / "vega.db").exists()
    del env["VEGA_FAILPOINT"]
    assert subprocess.run(command, env=env, check=False, timeout=60).returncode == 0


async def test_a_full_backlog_closes_the_doors() -> None:
    class Slow(MemoryStore):
        @property
        def pending(self) -> int:
            return MAX_PENDING

    with trio.fail_after(5):
        async with vega.open_app(model=ScriptedModel([]), store=Slow()) as app:
            agent = app.agents()[0].agent.name
            with pytest.raises(vega.StoreError, match="10000 changes wait for the disk"):
                await app.ask(vega.Session(agent), "hello")
