"""The memory store beyond what every store does: no threads, bounds, and the same behaviour as SQLite's."""

import tempfile
from pathlib import Path

import trio
from hypothesis import given, settings
from hypothesis import strategies as st

from vega_trio.changes import (
    AppendEvent,
    AppendMessage,
    Change,
    ClearMessages,
    Delete,
    DropMessages,
    Link,
    MessageRow,
    ProcessRow,
    Put,
    SaveProcess,
    Sever,
    Spend,
    Together,
    Watch,
)
from vega_trio.events import ProcessStarted
from vega_trio.messages import Message
from vega_trio.protocols import Commit, Store
from vega_trio.store.memory import MemoryStore
from vega_trio.store.sqlite import open_sqlite


def _message(process_id: str, seq: int, text: str = "hi") -> AppendMessage:
    row = MessageRow(process_id=process_id, seq=seq, turn_id="t", message=Message("user", text), at=1.0)
    return AppendMessage(row)


def _process(process_id: str, status: str, task: str = "") -> SaveProcess:
    return SaveProcess(ProcessRow(id=process_id, agent="a", status=status, task=task))


def test_a_change_is_committed_inside_submit() -> None:
    store = MemoryStore()
    seen: list[int] = []
    commit = store.submit(AppendEvent(ProcessStarted(at=1.0)))
    commit.on_done(lambda commit: seen.extend(commit.event_ids))
    assert commit.done
    assert seen == [1]


async def test_only_the_newest_events_are_kept_and_ids_go_on() -> None:
    store = MemoryStore(keep_events=3)
    for _ in range(10):
        store.submit(AppendEvent(ProcessStarted(at=1.0)))
    assert [event.id for event in await store.events_after(0)] == [8, 9, 10]
    assert [event.id for event in await store.events_after(8)] == [9, 10]
    assert await store.last_event_id() == 10


async def test_ended_processes_without_a_conversation_are_forgotten_the_oldest_first() -> None:
    store = MemoryStore(keep_ended=2)
    for number in range(5):
        store.submit(_process(f"p{number}", "running"))
    store.submit(_message("p1", 0))
    store.submit(_process("p0", "failed"))
    store.submit(_process("p0", "running"))  # it came back
    for number in (1, 2, 3, 4):
        store.submit(_process(f"p{number}", "completed"))
        store.submit(_process(f"p{number}", "completed"))  # told twice, ended once
    assert [row.id for row in await store.processes()] == ["p4", "p3", "p1", "p0"]


_ids = st.sampled_from(("p", "q", "r"))
_text = st.text(st.characters(codec="utf-8"), max_size=4)
_values = st.sampled_from((None, True, False, 0, 1, 1.0, "1", "x", "[1]", [1]))
_row = st.dictionaries(st.sampled_from(("agent", "user", "n")), _values, max_size=3)
_single: st.SearchStrategy[Change] = st.one_of(
    st.builds(_process, _ids, st.sampled_from(("running", "failed")), _text),
    st.builds(_message, _ids, st.integers(0, 2), _text),
    st.builds(ClearMessages, _ids),
    st.builds(DropMessages, _ids, st.integers(0, 3)),
    st.builds(lambda id_: AppendEvent(ProcessStarted(process_id=id_, at=1.0)), _ids),
    st.builds(Put, st.sampled_from(("session", "setting", "nothing")), _ids, _row),
    st.builds(Delete, st.sampled_from(("session", "setting")), _ids),
    st.builds(Link, _ids, _ids),
    st.builds(Watch, _ids, _ids),
    st.builds(Sever, _ids),
    st.builds(Spend, _ids, st.integers(0, 9), st.integers(0, 9)),
)
_together = st.lists(_single, max_size=4).map(lambda changes: Together(tuple(changes)))
_changes = st.lists(_single | _together, min_size=1, max_size=20)
_filter = st.dictionaries(st.sampled_from(("agent", "user", "n")), _values.filter(lambda v: v != [1]), max_size=2)


async def _everything(store: Store, equals: dict) -> list[object]:
    return [
        await store.processes(),
        [await store.messages(process_id) for process_id in "pqr"],
        await store.events_after(0),
        await store.last_event_id(),
        await store.links(),
        await store.monitors(),
        [await store.records.query(table) for table in ("session", "setting")],
        await store.records.query("session", **equals),
    ]


async def _settled(commit: Commit) -> None:
    done = trio.Event()
    commit.on_done(lambda _: done.set())
    await done.wait()


@given(_changes, _filter)
@settings(max_examples=30, deadline=None)
def test_after_any_changes_both_stores_hold_the_same(changes: list[Change], equals: dict) -> None:
    async def main(directory: str) -> None:
        memory = MemoryStore()
        async with open_sqlite(Path(directory) / "vega.db", durability="process") as sqlite:
            fates = []
            for store in (memory, sqlite):
                commits = [store.submit(change) for change in changes]
                await _settled(commits[-1])
                fates.append([(list(commit.event_ids), commit.error is None) for commit in commits])
            assert fates[0] == fates[1]
            assert await _everything(memory, equals) == await _everything(sqlite, equals)

    with tempfile.TemporaryDirectory() as directory:
        trio.run(main, directory)
