"""What each user of the bot may spend in a day.

A user's turns are charged to an account of his, with all that follows from them; the day's account begins with what is
on record of him. What a turn costs that goes on after a restart is counted when it is over.
"""

from __future__ import annotations

from datetime import datetime

import attrs

from vega_trio._core.budget import Account
from vega_trio.agent import Budget
from vega_trio.app.application import App


@attrs.define
class Allowances:
    """`budget` is one user's a day, by local time; None: there is no limit. `_accounts` have the day they are for."""

    app: App
    budget: Budget | None
    _accounts: dict[int, tuple[datetime, Account]] = attrs.field(factory=dict, init=False)

    async def of(self, user: int) -> Account | None:
        """Today's account of a user. Raises: StoreError."""
        if self.budget is None:
            return None
        today = datetime.now().astimezone().replace(hour=0, minute=0, second=0, microsecond=0)
        if user not in self._accounts or self._accounts[user][0] != today:
            found = await self.app.costs("agent", since=today.timestamp(), user=str(user))
            label = f"the Telegram user {user} today"
            account = Account.of(self.budget, label, found.total_microusd)
            self._accounts[user] = (today, account)
        return self._accounts[user][1]

    def recount(self, user: int) -> None:
        """Something of his was not charged as it came: the next time all is counted anew."""
        self._accounts.pop(user, None)
