"""Processes that a program left behind when it was killed, until somebody takes them up.

What is taken up goes on under the same id and name, with the same history, figures and mail. A process whose agent
only the program can define waits here, listed as pending, until an agent is spawned under its name.
"""

from __future__ import annotations

from collections.abc import Iterable

import attrs

from vega_trio.changes import MailRow, ProcessRow
from vega_trio.runtime.mailbox import Mail


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
    """Those that nobody has taken up, by id."""

    _left: dict[str, LeftBehind] = attrs.field(factory=dict)

    @classmethod
    def of(cls, left: Iterable[LeftBehind]) -> Recovered:
        return cls({each.row.id: each for each in left})

    def all(self) -> list[LeftBehind]:
        return list(self._left.values())

    def get(self, process_id: str) -> LeftBehind | None:
        return self._left.get(process_id)

    def named(self, name: str) -> LeftBehind | None:
        return next((each for each in self._left.values() if each.row.name == name), None)

    def take(self, process_id: str) -> LeftBehind | None:
        """It is taken up, or given up: from now on it does not wait here."""
        return self._left.pop(process_id, None)
