"""The application's budget over recorded spending: what was spent before a restart, or a crash, counts."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import Literal

import attrs

from vega_trio._core.budget import Account
from vega_trio.changes import Put
from vega_trio.protocols import Store

Period = Literal["total", "month", "day"]
TABLE = "setting"


@attrs.define(eq=False)
class Ledger:
    """Keeps one row per period: what is spent, and what was reserved when the row was last written.

    A reservation is written before the call it is for, so one that a crash leaves behind counts as spent.
    """

    account: Account
    store: Store
    period: Period
    wall_clock: Callable[[], float]
    _page: str = attrs.field(default="", init=False)

    def page(self) -> str:
        """The key of the current period, in local time."""
        today = datetime.fromtimestamp(self.wall_clock()).astimezone().date().isoformat()
        return "spend." + {"total": "total", "month": today[:7], "day": today}[self.period]

    async def open(self, spent_before: int) -> None:
        """Takes over what is recorded; `spent_before` where nothing is, in micro-dollars."""
        self._page = self.page()
        row = await self.store.records.get(TABLE, self._page)
        self.account.spent_microusd = row["microusd"] if row is not None else spent_before

    def turn_page(self) -> None:
        """A new period begins with nothing spent; what is reserved will be spent in it."""
        page = self.page()
        if page != self._page:
            self._page = page
            self.account.begin_again()

    def page_now(self) -> Put:
        """What is spent and reserved, to be written down."""
        amount = self.account.spent_microusd + self.account.reserved_microusd
        return Put(TABLE, self._page, {"microusd": amount})
