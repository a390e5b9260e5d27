"""The keys that are pressed at the REPL while an answer comes."""

from __future__ import annotations

from typing import Any, cast

import attrs
import trio

from vega_trio.app.application import App
from vega_trio.cli.markdown import MarkdownScreen
from vega_trio.cli.repl_attention import Attention
from vega_trio.errors import ApprovalDecided


@attrs.define
class Lines:
    said: list[str] = attrs.field(factory=list)

    def line(self, text: str) -> None:
        self.said.append(text)


class Late:
    async def decide(self, approval_id: str, decision: str) -> Any:
        raise ApprovalDecided(f"{approval_id} was denied by somebody else", "denied")


async def test_a_key_that_comes_after_somebody_elses_answer_is_told_so_and_ends_nothing() -> None:
    screen = Lines()
    attention = Attention(app=cast("App", Late()), screen=cast("MarkdownScreen", screen))
    attention._asking.append("a1")
    async with trio.open_nursery() as nursery:
        attention._pressed(nursery, b"y")
    assert screen.said == ["· a1 was denied by somebody else"]
