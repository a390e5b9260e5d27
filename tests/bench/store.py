"""How fast the SQLite store writes, against bare sqlite3 with the same syncs, in one run.

    python tests/bench/store.py [--quick] [--durability full|process] [--directory DIR] [--json FILE]

Bare is the least that could keep the same rows: a loop that binds tuples made beforehand and commits as many of
them at once as there are submitters. Ours plans, encodes, queues, commits, and wakes the task that waits.
"""

from __future__ import annotations

import itertools
import json
import os
import shutil
import sqlite3
import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import AsyncExitStack, closing, contextmanager
from operator import itemgetter
from pathlib import Path

import trio

from vega_trio._core.wire import encode_event
from vega_trio.agent import Agent
from vega_trio.app.open import open_app, open_orchestrator
from vega_trio.changes import (
    AppendEvent,
    AppendMessage,
    KeepMail,
    MailRow,
    MessageRow,
    OpBegun,
    OpFinished,
    OpRow,
    ProcessRow,
    Put,
    SaveProcess,
    Together,
)
from vega_trio.events import ToolEnd
from vega_trio.messages import Message, ToolCall
from vega_trio.protocols import ModelRequest
from vega_trio.runtime.orchestrator import Orchestrator
from vega_trio.runtime.process import Process
from vega_trio.store.opening import SYNCHRONOUS, Durability, file_system, open_for_writing
from vega_trio.store.sqlite import open_sqlite
from vega_trio.testing.scripted import Scripted, ScriptedModel

sys.path.insert(0, str(Path(__file__).parent / "cases"))

import rows
from rounds import by_turns
from rows import Row, Target, at_least, at_most

EVENT = ToolEnd(
    process_id="8c1f20aa",
    agent="coder",
    incarnation=1,
    turn_id="t1",
    root_turn_id="t1",
    tool_call_id="tc_1",
    tool_name="web_search",
    result="x" * 100,
    duration_ms=840,
    at=1795342530.12,
)
MESSAGE = Message("assistant", "y" * 2500)
SUBMITTERS = (1, 10, 100)
BARE = "bare sqlite3"

_INSERT_EVENT = (
    "INSERT INTO event (type, process_id, agent, turn_id, root_turn_id, at, body) VALUES (?, ?, ?, ?, ?, ?, ?)"
)
_INSERT_MESSAGE = "INSERT INTO message VALUES (?, ?, ?, ?, ?, ?)"


def bare_events(path: Path, durability: Durability, count: int) -> float:
    """Events a second, 512 a transaction."""
    row = _bare_event()
    with _bare(path, durability) as conn:
        start = time.perf_counter()
        for first in range(0, count, 512):
            conn.execute("BEGIN")
            conn.executemany(_INSERT_EVENT, [row] * min(512, count - first))
            conn.execute("COMMIT")
        return count / (time.perf_counter() - start)


def our_events(path: Path, durability: Durability, count: int) -> float:
    """Events a second, submitted a hundred at a time without waiting, until the last is durable."""

    async def main() -> float:
        async with open_sqlite(path, durability=durability) as store:
            start = time.perf_counter()
            for _ in range(count // 100):
                for _ in range(100):
                    commit = store.submit(AppendEvent(EVENT))
                await trio.lowlevel.checkpoint()
            await commit.wait()
            return count / (time.perf_counter() - start)

    return trio.run(main)


def bare_changes(path: Path, durability: Durability, submitters: int, count: int) -> float:
    """Changes (a message of 2.5 kB and an event) a second, one transaction for each round of submitters."""
    event, parts = _bare_event(), json.dumps([{"type": "text", "text": MESSAGE.text}])
    with _bare(path, durability) as conn:
        start = time.perf_counter()
        for seq in range(count // submitters):
            conn.execute("BEGIN")
            for submitter in range(submitters):
                conn.execute(_INSERT_MESSAGE, (f"p{submitter}", seq, "t1", "assistant", parts, EVENT.at))
                conn.execute(_INSERT_EVENT, event)
            conn.execute("COMMIT")
        return count / (time.perf_counter() - start)


def our_changes(path: Path, durability: Durability, submitters: int, count: int) -> tuple[float, float]:
    """The same changes a second, each submitter waiting for each; and the 99th percentile of a wait, in ms."""
    waits: list[float] = []

    async def main() -> float:
        async with open_sqlite(path, durability=durability) as store:

            async def submitter(name: str) -> None:
                for seq in range(count // submitters):
                    row = MessageRow(process_id=name, seq=seq, turn_id="t1", message=MESSAGE, at=EVENT.at)
                    start = time.perf_counter()
                    await store.submit(Together((AppendMessage(row), AppendEvent(EVENT)))).wait()
                    waits.append(time.perf_counter() - start)

            start = time.perf_counter()
            async with trio.open_nursery() as nursery:
                for number in range(submitters):
                    nursery.start_soon(submitter, f"p{number}")
            return count / (time.perf_counter() - start)

    speed = trio.run(main)
    return speed, statistics.quantiles(waits, n=100)[98] * 1000


def turns(path: Path | None, durability: Durability, agents: int, count: int) -> float:
    """Turns a second that call one tool: two model calls and a tool call, journalled. None: kept in memory."""

    async def tool(n: int) -> str:
        """Does nothing."""
        return "done"

    def reply(request: ModelRequest) -> Scripted:
        return "ok" if request.messages[-1].tool_results else ToolCall("t", "tool", {"n": 1})

    async def rounds(orch: Orchestrator) -> float:
        processes = [await orch.spawn(Agent(name="a", tools=[tool])) for _ in range(agents)]

        async def talk(process: Process) -> None:
            for _ in range(count // agents):
                await process.send("go")

        start = time.perf_counter()
        async with trio.open_nursery() as nursery:
            for process in processes:
                nursery.start_soon(talk, process)
        return count / (time.perf_counter() - start)

    async def main() -> float:
        async with AsyncExitStack() as stack:
            store = None
            if path is not None:
                store = await stack.enter_async_context(open_sqlite(path, durability=durability))
            orch = await stack.enter_async_context(open_orchestrator(model=ScriptedModel(reply), store=store))
            return await rounds(orch)

    return trio.run(main)


def left_behind(path: Path, durability: Durability, count: int) -> None:
    """A database with so many agents that were running when their program died; each tenth had a message to answer."""

    async def main() -> None:
        async with open_sqlite(path, durability=durability) as store:
            for number in range(count):
                id_ = f"p{number}"
                row = ProcessRow(id=id_, agent="worker", status="running", started_at=EVENT.at, spawn_reason="chat")
                talk = [AppendMessage(_message(id_, seq, f"t{seq // 2}")) for seq in range(4)]
                ops = [OpBegun(_op(id_, seq)) for seq in range(2)]
                ends = [OpFinished(process_id=id_, seq=seq, state="done", epoch=1, at=EVENT.at) for seq in range(2)]
                session = Put("session", id_, {"id": id_, "agent": "worker", "user": id_, "updated_at": "2026"})
                mail = MailRow(process_id=id_, id=f"m{number}", root_id=f"m{number}", message=MESSAGE, at=EVENT.at)
                waiting = [KeepMail(mail)] if number % 10 == 0 else []
                commit = store.submit(Together((SaveProcess(row), session, *talk, *ops, *ends, *waiting)))
                if number % 500 == 0:
                    await commit.wait()
            await commit.wait()

    trio.run(main)


def _message(process_id: str, seq: int, turn_id: str) -> MessageRow:
    message = Message("user" if seq % 2 == 0 else "assistant", "y" * 500)
    return MessageRow(process_id=process_id, seq=seq, turn_id=turn_id, message=message, at=EVENT.at)


def _op(process_id: str, seq: int) -> OpRow:
    key = f"{process_id}/{seq}"
    return OpRow(process_id=process_id, seq=seq, turn_id=f"t{seq}", kind="llm", name="m", key=key)


def bare_recovery(path: Path) -> float:
    """Seconds to read the rows of all processes and their mail."""
    with closing(sqlite3.connect(path)) as conn:
        start = time.perf_counter()
        conn.execute("SELECT * FROM process WHERE status IN ('running', 'pending')").fetchall()
        conn.execute("SELECT * FROM mailbox").fetchall()
        return time.perf_counter() - start


def our_recovery(path: Path, count: int) -> tuple[float, float]:
    """Seconds from opening an application until all of its agents run again: by the clock, and of CPU time."""
    text = f"agents: {{worker: {{system: x}}}}\nsettings: {{max_processes: {count + 10}, default_model: demo}}"
    document = path.with_suffix(".vega.yaml")
    document.write_text(text)

    async def hang(_: ModelRequest) -> Scripted:
        await trio.sleep_forever()
        return ""

    async def main() -> tuple[float, float]:
        start, began = time.perf_counter(), time.process_time()
        async with open_app(document, model=ScriptedModel(hang), store=path, shutdown_timeout=0) as app:
            taken = time.perf_counter() - start, time.process_time() - began
            running = sum(process.status == "running" for process in app.orch.processes())
            if running != count:
                raise AssertionError(f"{running} of {count} processes run again")
        return taken

    return trio.run(main)


def recovery(directory: Path, durability: Durability, rounds: int, count: int) -> Iterator[Row]:
    """Reading the rows, and having all of them run again."""
    left = directory / "left.db"
    left_behind(left, durability, count)
    copies = (directory / f"left-{number}.db" for number in itertools.count())

    def recovered() -> tuple[float, float]:
        return our_recovery(Path(shutil.copy(left, next(copies))), count)

    found = by_turns({BARE: lambda: (bare_recovery(left), 0.0), "ours": recovered}, rounds)
    ours, bare = found.median("ours", itemgetter(0)), found.median(BARE, itemgetter(0))
    target = at_most(10.0) if count == 10_000 else None
    yield Row(f"recovery of {count:,} processes", "s", ours, bare, BARE, target, failures=found.failures)
    yield Row(f"recovery of {count:,} processes, CPU", "s", found.median("ours", itemgetter(1)))


def measure(durability: Durability, directory: Path, rounds: int, scale: int) -> Iterator[Row]:
    """Medians over interleaved rounds."""
    fresh = (directory / f"{number}.db" for number in itertools.count())
    yield from _rows(
        "events stored, fire and forget",
        rounds,
        lambda: bare_events(next(fresh), durability, 10_000 * scale),
        lambda: (our_events(next(fresh), durability, 10_000 * scale), None),
        target=at_least(100_000),
    )
    for submitters in SUBMITTERS:
        count = submitters * max(10, (40 if submitters == 100 else 200) * scale // 10)
        yield from _rows(
            f"durable changes, {submitters} submitters",
            rounds,
            lambda count=count, many=submitters: bare_changes(next(fresh), durability, many, count),
            lambda count=count, many=submitters: our_changes(next(fresh), durability, many, count),
        )
    for agents in (1, 10, 100):
        count = agents * max(5, min(10 * scale, 1000 // agents))
        yield from _rows(
            f"turns with a tool, {agents} agents",
            rounds,
            lambda count=count, agents=agents: turns(None, durability, agents, count),
            lambda count=count, agents=agents: (turns(next(fresh), durability, agents, count), None),
            limit_name="in memory",
        )


def _rows(
    case: str,
    rounds: int,
    bare: Callable[[], float],
    ours: Callable[[], tuple[float, float | None]],
    *,
    limit_name: str = BARE,
    target: Target | None = None,
) -> Iterator[Row]:
    """The speed, and the wait where `ours` tells one."""
    found = by_turns({limit_name: lambda: (bare(), None), "ours": ours}, rounds)
    limit, speed = found.median(limit_name, itemgetter(0)), found.median("ours", itemgetter(0))
    yield Row(case, "1/s", speed, limit, limit_name, target, failures=found.failures)
    if all(wait is not None for _, wait in found.results.get("ours", [(0, None)])):
        yield Row(f"{case}: wait for the commit, p99", "ms", found.median("ours", itemgetter(1)), target=at_most(20.0))


def _bare_event() -> tuple[object, ...]:
    return ("tool.finished", "8c1f20aa", "coder", "t1", "t1", EVENT.at, encode_event(EVENT).decode())


@contextmanager
def _bare(path: Path, durability: Durability) -> Iterator[sqlite3.Connection]:
    open_for_writing(str(path), durability).close()
    with closing(sqlite3.connect(path, isolation_level=None)) as conn:
        conn.execute(f"PRAGMA synchronous = {SYNCHRONOUS[durability]}")
        yield conn


def main() -> None:
    parser = rows.options(__doc__, "store")
    parser.add_argument("--durability", choices=tuple(SYNCHRONOUS), default="full")
    parser.add_argument("--directory", type=Path, help="where the databases are made (default: a temporary one)")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(dir=options.directory) as name:
        mounts = Path("/proc/self/mountinfo")
        disk = file_system(mounts.read_text(), os.stat(name).st_dev) if mounts.exists() else None
        scale = 1 if options.quick else 10
        found = itertools.chain(
            measure(options.durability, Path(name), 3 if options.quick else 5, scale),
            recovery(Path(name), options.durability, 1 if options.quick else 3, 1_000 * scale),
        )
        facts = {"durability": options.durability, "disk": disk, "sqlite": sqlite3.sqlite_version}
        rows.publish(found, options.json, **facts)


if __name__ == "__main__":
    main()
