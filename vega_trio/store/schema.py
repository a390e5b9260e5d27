"""The tables, as a sequence of migrations: number n leads from `user_version` n to n + 1.

A migration that has been released never changes; what is new comes in a new one at the end. Names and purpose of
the tables: `http-api` section 6.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from sqlite_utils import Database

Migration = Callable[["Database"], None]

APPLICATION_ID: Final = int.from_bytes(b"vega", "big")
"""In the file's header, so that another program's database is told from ours."""

INDEXED: Final = {
    "session": ("agent", "user"),
    "turn": ("process", "session"),
    "wf_step": ("run",),
    "wf_run": ("status",),
    "approval": ("status",),
}
"""The fields of application rows that the product looks up by."""


def _first(db: Database) -> None:
    _create_process(db)
    _create_message(db)
    _create_event(db)
    for table in ("session", "turn", "wf_run", "wf_step", "setting"):
        _create_records(db, table)
    _index_records(db, "session", ("agent", "user"))
    _index_records(db, "turn", ("process",))
    _index_records(db, "turn", ("session",))
    _index_records(db, "wf_step", ("run",))


def _journal(db: Database) -> None:
    """What a program needs to go on after a crash: the journal, accepted mail, and who may write."""
    _create_op(db)
    _create_mailbox(db)
    _create_blob(db)
    for column in ("epoch INTEGER NOT NULL DEFAULT 1", "recoveries TEXT NOT NULL DEFAULT ''"):
        db.execute(f"ALTER TABLE process ADD COLUMN {column}")
    db.execute("CREATE INDEX process_unfinished ON process (id) WHERE status IN ('running', 'pending')")


def _application(db: Database) -> None:
    """The tables of the application's further nouns."""
    for table in (
        "approval",
        "blackboard",
        "composed_agent",
        "agent_def",
        "user_memory",
        "memory_item",
        "request",
        "token",
        "mcp_server",
        "schedule",
        "channel_offset",
    ):
        _create_records(db, table)
    _index_records(db, "approval", ("status",))


def _ties(db: Database) -> None:
    """What else of a process outlives its program: links, monitors, timers, budgets; and what runs remember."""
    _create_pairs(db, "link", ("one", "other"))
    _create_pairs(db, "monitor", ("watcher", "watched"))
    _create_timer(db)
    for column in (
        "def_hash TEXT NOT NULL DEFAULT ''",
        "supervisor TEXT",
        "restart_log TEXT NOT NULL DEFAULT ''",
        "budget TEXT NOT NULL DEFAULT ''",
        "spent_microusd INTEGER NOT NULL DEFAULT 0",
        "reserved_microusd INTEGER NOT NULL DEFAULT 0",
    ):
        db.execute(f"ALTER TABLE process ADD COLUMN {column}")
    db.execute("ALTER TABLE op ADD COLUMN reserved INTEGER NOT NULL DEFAULT 0")
    _create_records(db, "wf_memory")
    _index_records(db, "wf_run", ("status",))


def _language(db: Database) -> None:
    """The tools that a step leaves to its agent."""
    db.execute("ALTER TABLE mailbox ADD COLUMN tools TEXT")


def _process_events(db: Database) -> None:
    db.execute("CREATE INDEX event_process ON event (process_id, type) WHERE process_id IS NOT NULL")


def _reserved(db: Database) -> None:
    """Found at every start, among all calls that were ever made."""
    db.execute("CREATE INDEX op_reserved ON op (process, reserved) WHERE reserved > 0")


def _started(db: Database) -> None:
    """Processes are listed by when they were started, a page at a time."""
    db.execute("CREATE INDEX process_started ON process (started_at, id)")


def _spoken(db: Database) -> None:
    """A user's conversations are listed by when they were last spoken in, a page at a time."""
    columns = f"{field('user')}, {field('updated_at')}, key"
    db.execute(f"CREATE INDEX session_spoken ON session ({columns})")


MIGRATIONS: Final[tuple[Migration, ...]] = (
    _first, _journal, _application, _ties, _language, _process_events, _reserved, _started,
    _spoken,
)  # fmt: skip


def field(name: str) -> str:
    """The SQL of a row's top-level field, as the indexes have it. `name` is an identifier that was checked."""
    return f"json_extract(row, '$.{name}')"


def _create_process(db: Database) -> None:
    """One row per process, also after its end, in the order in which they were first saved (rowid)."""
    optional = {"name", "parent_id", "completed_at", "last_active_at"}
    columns: dict[str, type] = {
        "id": str,
        "agent": str,
        "name": str,
        "task": str,
        "status": str,
        "parent_id": str,
        "spawn_depth": int,
        "spawn_reason": str,
        "incarnation": int,
        "exit_reason": str,
        "started_at": float,
        "completed_at": float,
        "iterations": int,
        "input_tokens": int,
        "output_tokens": int,
        "cost_microusd": int,
        "tool_calls": int,
        "errors": int,
        "last_active_at": float,
    }
    db.table("process").create(columns, pk="id", not_null=columns.keys() - optional, strict=True)


def _create_message(db: Database) -> None:
    """Conversations. `parts` is the JSON list of a message's parts."""
    columns: dict[str, type] = {
        "process_id": str,
        "seq": int,
        "turn_id": str,
        "role": str,
        "parts": str,
        "at": float,
    }
    db.table("message").create(columns, pk=("process_id", "seq"), not_null=columns.keys(), strict=True)


def _create_op(db: Database) -> None:
    """The journal of model and tool calls. `req` and `result` are JSON objects."""
    columns: dict[str, type] = {
        "process": str,
        "seq": int,
        "turn": str,
        "kind": str,
        "name": str,
        "key": str,
        "req": str,
        "state": str,
        "result": str,
        "error_class": str,
        "cost": int,
        "attempts": int,
        "epoch": int,
        "begun_at": float,
        "finished_at": float,
    }
    optional = {"result", "finished_at"}
    db.table("op").create(columns, pk=("process", "seq"), not_null=columns.keys() - optional, strict=True)
    db.table("op").create_index(["key"], unique=True)


def _create_mailbox(db: Database) -> None:
    """Accepted messages, in the order in which they came (rowid). `parts` as in `message`."""
    columns: dict[str, type] = {
        "process": str,
        "id": str,
        "root_id": str,
        "sender": str,
        "role": str,
        "parts": str,
        "at": float,
    }
    db.table("mailbox").create(columns, pk=("process", "id"), not_null=columns.keys() - {"sender"}, strict=True)


def _create_pairs(db: Database, table: str, columns: tuple[str, str]) -> None:
    """Pairs of process ids, in the order in which they were made (rowid)."""
    db.table(table).create(dict.fromkeys(columns, str), pk=columns, not_null=set(columns), strict=True)
    db.table(table).create_index([columns[1]])


def _create_timer(db: Database) -> None:
    """What is to happen to a process at a time (Unix seconds)."""
    columns: dict[str, type] = {"process": str, "kind": str, "due_at": float}
    db.table("timer").create(columns, pk=("process", "kind"), not_null={"due_at"}, strict=True)


def _create_blob(db: Database) -> None:
    """Long texts of a process, kept once; a column that holds one says `blob:SHA256` in its place."""
    columns: dict[str, type] = {"process": str, "sha256": str, "data": str}
    db.table("blob").create(columns, pk=("process", "sha256"), not_null={"data"}, strict=True)


def _create_event(db: Database) -> None:
    """The durable stream. AUTOINCREMENT, so that an id is never given twice; sqlite-utils cannot say that."""
    db.execute(
        """
        CREATE TABLE event (
            id INTEGER PRIMARY KEY AUTOINCREMENT,
            type TEXT NOT NULL,
            process_id TEXT,
            agent TEXT,
            turn_id TEXT,
            root_turn_id TEXT,
            at REAL NOT NULL,
            body TEXT NOT NULL
        ) STRICT
        """
    )


def _create_records(db: Database, table: str) -> None:
    """An application table: JSON objects under a key, in the order in which the keys were first put (rowid)."""
    db.table(table).create({"key": str, "row": str}, pk="key", not_null={"row"}, strict=True)


def _index_records(db: Database, table: str, fields: tuple[str, ...]) -> None:
    columns = ", ".join(field(name) for name in fields)
    db.execute(f'CREATE INDEX "{table}_{"_".join(fields)}" ON "{table}" ({columns})')
