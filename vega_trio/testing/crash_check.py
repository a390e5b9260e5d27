"""What must hold of a database whose program was killed, whenever that was."""

from __future__ import annotations

import json
import sqlite3
from collections import Counter, defaultdict
from collections.abc import Mapping
from contextlib import closing
from pathlib import Path
from typing import Any


def check(
    database: Path, started: set[str], ended: Mapping[str, str], effects: Mapping[tuple[str, str], int]
) -> list[str]:
    """Everything that is wrong, in words. `effects` is the ledger: how often each (tool, key) had its effect."""
    if not database.exists():
        return [] if not started else ["the database is gone"]
    # Read and write: who opens a database after a kill recovers its log.
    with closing(sqlite3.connect(database)) as conn:
        (integrity,) = conn.execute("PRAGMA integrity_check").fetchone()
        if integrity != "ok":
            return [f"integrity: {integrity}"]
        return [
            *_runs(conn, started, ended),
            *_events(conn),
            *_exits(conn),
            *_journal(conn),
            *_ledger(conn, effects),
        ]


def _runs(conn: sqlite3.Connection, started: set[str], ended: Mapping[str, str]) -> list[str]:
    rows = {key: json.loads(row) for key, row in conn.execute("SELECT key, row FROM wf_run")}
    lost = [f"run {run} was acknowledged and is lost" for run in started - rows.keys()]
    return lost + [
        f"run {run} was {status} and is {rows[run]['status']}"
        for run, status in ended.items()
        if run in rows and rows[run]["status"] != status
    ]


def _events(conn: sqlite3.Connection) -> list[str]:
    first, last, count = conn.execute("SELECT min(id), max(id), count(*) FROM event").fetchone()
    wrong = [] if not count or last - first + 1 == count else [f"events {first} to {last} have a gap: {count}"]
    query = (
        "SELECT json_extract(body, '$.data.run_id'), count(*) FROM event WHERE type = ? GROUP BY 1 HAVING count(*) > 1"
    )
    for type_ in ("workflow.started", "workflow.completed"):
        wrong += [f"run {run}: {count} times {type_}" for run, count in conn.execute(query, (type_,))]
    return wrong


def _exits(conn: sqlite3.Connection) -> list[str]:
    exits = (
        "SELECT process_id, json_extract(body, '$.data.incarnation'), count(*) FROM event"
        " WHERE type IN ('process.completed', 'process.failed') GROUP BY 1, 2 HAVING count(*) > 1"
    )
    return [f"process {id_}, incarnation {number}: {count} exits" for id_, number, count in conn.execute(exits)]


def _journal(conn: sqlite3.Connection) -> list[str]:
    """The journal has no gap, and the conversation is what it says."""
    wrong = []
    ops: dict[str, list[tuple[Any, ...]]] = defaultdict(list)
    for process, *rest in conn.execute("SELECT process, seq, kind, state, turn, cost FROM op ORDER BY process, seq"):
        ops[process].append(tuple(rest))
    costs = dict(conn.execute("SELECT id, cost_microusd FROM process"))
    for process, rows in ops.items():
        if [row[0] for row in rows] != list(range(len(rows))):
            wrong.append(f"the journal of process {process} has a gap")
        said = Counter[tuple[str, str]]()
        query = "SELECT turn_id, role, parts FROM message WHERE process_id = ? AND turn_id != '' ORDER BY seq"
        for turn, role, parts in conn.execute(query, (process,)):
            kinds = {part["type"] for part in json.loads(parts)} if not parts.startswith("blob:") else set()
            if role == "assistant":
                said[turn, "llm"] += 1
            elif "tool_result" in kinds:
                said[turn, "tool"] += 1
        # A tool call that failed has a result all the same; a model call that failed has said nothing.
        over = {"llm": ("done",), "tool": ("done", "failed", "unknown")}
        done = Counter((turn, kind) for _, kind, state, turn, _ in rows if state in over[kind])
        if said != done:
            wrong.append(f"process {process} has said {dict(said)} and journalled {dict(done)}")
        if sum(row[4] for row in rows) != costs[process]:
            wrong.append(f"process {process} cost {costs[process]}, its calls {sum(row[4] for row in rows)}")
    return wrong


def _ledger(conn: sqlite3.Connection, effects: Mapping[tuple[str, str], int]) -> list[str]:
    journal = {key: (state, attempts) for key, state, attempts in conn.execute("SELECT key, state, attempts FROM op")}
    wrong = []
    for (name, key), count in effects.items():
        state, attempts = journal.get(key, ("missing", 0))
        if count > attempts:
            wrong.append(f"{name} {key} had {count} effects in {attempts} attempts ({state})")
        if name == "act" and count > 1:
            wrong.append(f"{name} {key} must not be repeated and had {count} effects")
    wrong += [
        f"{key} is done and never had its effect"
        for key, (state, _) in journal.items()
        if state == "done" and key.count("/") > 1 and key.rpartition("/")[2][:1] in "al" and not _had(effects, key)
    ]
    return wrong


def _had(effects: Mapping[tuple[str, str], int], key: str) -> bool:
    return any((name, key) in effects for name in ("act", "look"))
