"""Kills a working program again and again, with SIGKILL, and checks what it leaves against an outside ledger.

A round: start the program (`crash_child`), let it take up what its predecessor left, kill it at a random moment or at
a failpoint of the journal, and check the database: nothing acknowledged is lost, nothing is torn, no finished call
was made again, and no effect that must not be repeated was.
"""

from __future__ import annotations

import json
import os
import random
import signal
import sqlite3
import subprocess
import sys
from collections import Counter
from collections.abc import Callable
from contextlib import closing
from functools import partial
from pathlib import Path

import attrs
import trio

from vega_trio.app.failpoints import NAMES
from vega_trio.testing.crash_check import check

FAILPOINTS = tuple(name for name in NAMES if name != "in_migration")  # a child that begins has a database of today
SLOWEST_ROUND_S = 60.0


@attrs.define
class Ledger:
    """Outside of what is killed: how often each call has had its effect, by tool and key."""

    effects: Counter[tuple[str, str]] = attrs.field(factory=Counter)

    async def serve(self, stream: trio.SocketStream) -> None:
        async with stream:
            line = b""
            while not line.endswith(b"\n"):
                got = await stream.receive_some(4096)
                if not got:
                    return
                line += got
            name, key = line.decode().split(maxsplit=1)
            self.effects[name, key.strip()] += 1
            try:
                await stream.send_all(b".")
            except trio.BrokenResourceError:
                return  # it was killed in between: the effect stands


@attrs.define(kw_only=True)
class CrashReport:
    """What the rounds came to. `wrong` is empty when every promise was kept.

    `steps` are calls of models and tools that were acknowledged in the journal; `lost` are acknowledged runs that are
    gone, `repeated_acts` effects that were repeated and must not be.
    """

    seed: int
    kills: int = 0
    by_place: Counter[str] = attrs.field(factory=Counter)
    started: set[str] = attrs.field(factory=set)
    ended: dict[str, str] = attrs.field(factory=dict)
    effects: int = 0
    calls: int = 0
    repeated_reads: int = 0
    steps: int = 0
    lost: int = 0
    repeated_acts: int = 0
    wrong: list[str] = attrs.field(factory=list)

    @property
    def acknowledged(self) -> int:
        return len(self.started) + len(self.ended)


async def crashtest(
    file: str | Path,
    *,
    workflow: str,
    kills: int,
    directory: Path,
    seed: int = 0,
    on_kill: Callable[[CrashReport], None] = lambda _: None,
) -> CrashReport:
    """Runs a workflow of a document with a scripted model in a program that is killed `kills` times.

    The database is made in `directory`. Stops at the first round that finds something wrong. `on_kill` is called
    after each round.
    """
    report, ledger, rand = CrashReport(seed=seed), Ledger(), random.Random(seed)  # noqa: S311 - no secret
    database = directory / "crashtest.db"
    async with trio.open_nursery() as nursery:
        listeners = await nursery.start(partial(trio.serve_tcp, ledger.serve, 0, host="127.0.0.1"))
        port = listeners[0].socket.getsockname()[1]
        command = [sys.executable, "-m", "vega_trio.testing.crash_child", str(file), workflow, str(database), str(port)]
        unsettled = 0
        while report.kills < kills and not report.wrong:
            # A turn that was open at three starts in a minute is given up as poison, so every third is left in peace.
            settled = await _round(command, report, rand, calm=unsettled >= 1)
            unsettled = 0 if settled else unsettled + 1
            report.wrong += await trio.to_thread.run_sync(check, database, report.started, report.ended, ledger.effects)
            on_kill(report)
        nursery.cancel_scope.cancel()
    report.effects = sum(ledger.effects.values())
    report.calls = len(ledger.effects)
    report.repeated_reads = sum(count - 1 for (name, _), count in ledger.effects.items() if name != "act")
    report.repeated_acts = sum(count - 1 for (name, _), count in ledger.effects.items() if name == "act")
    report.steps, report.lost = await trio.to_thread.run_sync(_counted, database, report.started)
    return report


def _counted(database: Path, started: set[str]) -> tuple[int, int]:
    """Finished calls in the journal, and acknowledged runs that are not there."""
    if not database.exists():
        return 0, len(started)
    with closing(sqlite3.connect(database)) as conn:
        (steps,) = conn.execute("SELECT count(*) FROM op WHERE state != 'begun'").fetchone()
        return steps, len(started - {key for (key,) in conn.execute("SELECT key FROM wf_run")})


async def _round(command: list[str], report: CrashReport, rand: random.Random, *, calm: bool) -> bool:
    """One life of the program. Whether it had taken up all that was left to it before it was killed."""
    env = dict(os.environ)
    place = "random" if calm or rand.random() < 0.5 else rand.choice(FAILPOINTS)
    if place != "random":
        env["VEGA_FAILPOINT"] = f"{place}:{rand.randint(1, 12)}:kill"
    after_s = rand.uniform(0.0, 0.3)
    lines: list[dict[str, str]] = []
    with trio.move_on_after(SLOWEST_ROUND_S) as scope:
        process = await trio.lowlevel.open_process(command, stdout=subprocess.PIPE, env=env)
        try:
            async with trio.open_nursery() as nursery:
                told = trio.Event()
                nursery.start_soon(_read, process, lines, "ready" if calm else "opened", told)
                if place == "random":
                    await told.wait()
                    await trio.sleep(after_s)
                    process.send_signal(signal.SIGKILL)
        finally:
            with trio.CancelScope(shield=True):
                process.kill()
                await process.wait()
    if scope.cancelled_caught:
        report.wrong.append(f"the program neither went on nor died within {SLOWEST_ROUND_S:g} s ({place})")
    elif process.returncode != -signal.SIGKILL:
        report.wrong.append(f"the program ended by itself with exit code {process.returncode} ({place})")
    report.kills += 1
    report.by_place[place] += 1
    _note(lines, report)
    return any(line["kind"] == "ready" for line in lines)


async def _read(process: trio.Process, lines: list[dict[str, str]], awaited: str, told: trio.Event) -> None:
    """All that the program says until it is dead."""
    assert process.stdout is not None
    rest = b""
    async with process.stdout:
        async for chunk in process.stdout:
            *whole, rest = (rest + chunk).split(b"\n")
            lines += [json.loads(line) for line in whole]
            if any(line["kind"] == awaited for line in lines):
                told.set()
    told.set()


def _note(lines: list[dict[str, str]], report: CrashReport) -> None:
    for line in lines:
        match line["kind"]:
            case "started":
                report.started.add(line["run"])
            case "ended":
                report.ended[line["run"]] = line["status"]
                if line["status"] != "completed":
                    report.wrong.append(f"run {line['run']} is {line['status']}: {line['error']}")
