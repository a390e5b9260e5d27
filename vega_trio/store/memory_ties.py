"""Links, monitors and timers of processes, in memory."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import TypeVar, assert_never

import attrs

from vega_trio.changes import DropTimers, Link, SetTimer, Sever, Ties, TimerRow, Unlink, Unwatch, Watch
from vega_trio.store import rows

Undo = Callable[[], object]
Pair = tuple[str, str]
V = TypeVar("V")


@attrs.define(eq=False)
class MemoryTies:
    """Each table in the order in which its rows were made."""

    links: dict[Pair, None] = attrs.field(factory=dict)
    monitors: dict[Pair, None] = attrs.field(factory=dict)
    timers: dict[Pair, TimerRow] = attrs.field(factory=dict)

    def apply(self, change: Ties, undo: list[Undo]) -> None:
        """Makes the change and notes how to take it back."""
        match change:
            case Link(one, other):
                _add(self.links, rows.pair(one, other), None, undo)
            case Unlink(one, other):
                _drop(self.links, lambda pair: pair == rows.pair(one, other), undo)
            case Watch(watcher, watched):
                _add(self.monitors, (watcher, watched), None, undo)
            case Unwatch(watcher, watched):
                _drop(self.monitors, lambda pair: pair == (watcher, watched), undo)
            case Sever(process_id):
                _drop(self.links, lambda pair: process_id in pair, undo)
                _drop(self.monitors, lambda pair: process_id in pair, undo)
            case SetTimer(row):
                _drop(self.timers, lambda key: key == (row.process_id, row.kind), undo)
                _add(self.timers, (row.process_id, row.kind), row, undo)
            case DropTimers(process_id):
                _drop(self.timers, lambda key: key[0] == process_id, undo)
            case _:
                assert_never(change)


def _add(table: dict[Pair, V], key: Pair, value: V, undo: list[Undo]) -> None:
    if key not in table:
        table[key] = value
        undo.append(partial(table.pop, key))


def _drop(table: dict[Pair, V], condition: Callable[[Pair], bool], undo: list[Undo]) -> None:
    """Taken back, the table has its order again."""
    gone = [key for key in table if condition(key)]
    if gone:
        undo.append(partial(_restore, table, dict(table)))
    for key in gone:
        del table[key]


def _restore(table: dict[Pair, V], before: dict[Pair, V]) -> None:
    table.clear()
    table.update(before)
