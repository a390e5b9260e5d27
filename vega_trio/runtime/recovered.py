"""Processes that a program left behind when it was killed, until somebody takes them up.

What is taken up goes on under the same id and name, with the same history, figures and mail. A process whose agent
only the program can define waits here, listed as pending, until an agent is spawned under its name.
"""

from __future__ import annotations

from collections.abc import Iterable

import attrs

from vega_trio.changes import MailRow, ProcessRow, TimerRow
from vega_trio.runtime.mail import Mail
from vega_trio.runtime.ties import Monitor


@attrs.frozen
class LeftBehind:
    """A process as it was recorded, and the mail that it had accepted."""

    row: ProcessRow
    mail: tuple[MailRow, ...] = ()

    @property
    def has_open_turn(self) -> bool:
        return bool(self.mail or self.row.task)

    def letters(self) -> list[Mail]:
        return [Mail(each.id, each.message, each.sender_id, each.root_id, tools=each.tools) for each in self.mail]


@attrs.define(eq=False)
class Recovered:
    """Those that nobody has taken up, by id, and what ties them.

    `deadlines` are Unix seconds by process; `monitors` are those whose watcher has not come for them, by (watcher,
    watched).
    """

    _left: dict[str, LeftBehind] = attrs.field(factory=dict)
    deadlines: dict[str, float] = attrs.field(factory=dict)
    _links: dict[str, list[str]] = attrs.field(factory=dict)
    _watching: dict[str, list[tuple[str, str]]] = attrs.field(factory=dict)
    _to_tie: set[str] = attrs.field(factory=set)
    monitors: dict[tuple[str, str], Monitor] = attrs.field(factory=dict)

    @classmethod
    def of(
        cls,
        left: Iterable[LeftBehind],
        *,
        links: Iterable[tuple[str, str]] = (),
        monitors: Iterable[tuple[str, str]] = (),
        timers: Iterable[TimerRow] = (),
    ) -> Recovered:
        """Ties to a process that has ended are none."""
        found = {each.row.id: each for each in left}
        recovered = cls(found, {each.process_id: each.due_at for each in timers if each.process_id in found})
        for pair in links:
            if found.keys() >= set(pair):
                for one, other in (pair, pair[::-1]):
                    recovered._links.setdefault(one, []).append(other)
        for pair in monitors:
            if found.keys() >= set(pair):
                for each in pair:
                    recovered._watching.setdefault(each, []).append(pair)
        recovered._to_tie = {*recovered._links, *recovered._watching}
        return recovered

    def all(self) -> list[LeftBehind]:
        return list(self._left.values())

    def get(self, process_id: str) -> LeftBehind | None:
        return self._left.get(process_id)

    def named(self, name: str) -> LeftBehind | None:
        return next((each for each in self._left.values() if each.row.name == name), None)

    def take(self, process_id: str) -> LeftBehind | None:
        """It is taken up, or given up: from now on it does not wait here."""
        return self._left.pop(process_id, None)

    def linked_to(self, process_id: str) -> list[str]:
        return list(self._links.get(process_id, ()))

    def watching(self, process_id: str) -> list[tuple[str, str]]:
        """(watcher, watched), where the process is one of them."""
        return list(self._watching.get(process_id, ()))

    def comes_back(self, process_id: str) -> bool:
        """Whether its ties are to be restored; once."""
        back = process_id in self._to_tie
        self._to_tie.discard(process_id)
        return back

    def sever(self, process_id: str) -> bool:
        """Forgets its ties, and says whether there were any."""
        tied = process_id in self._links or process_id in self._watching
        self._to_tie.discard(process_id)
        for other in self._links.pop(process_id, ()):
            if other in self._links:
                self._links[other].remove(process_id)
        for pair in self._watching.pop(process_id, ()):
            if pair[0] == process_id:
                self.monitors.pop(pair, None)
            for each in pair:
                if each in self._watching:
                    self._watching[each].remove(pair)
        return tied
