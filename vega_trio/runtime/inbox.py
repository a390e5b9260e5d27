"""How a body takes its mail."""

from __future__ import annotations

from typing import TYPE_CHECKING

import attrs

from vega_trio.runtime.mail import Mail

if TYPE_CHECKING:
    from vega_trio.runtime.process import Process


@attrs.frozen
class Inbox:
    """The process's mail, in order. Iterating takes it; one reader at a time."""

    _process: Process

    def __aiter__(self) -> Inbox:
        return self

    async def __anext__(self) -> Mail:
        mail = await self._process.mailbox.take()
        live = self._process.live
        if live is not None:
            live.pick_up(mail)
        return mail
