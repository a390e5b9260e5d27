"""Both ways to a reply, so that what is enforced on one is seen to be enforced on the other."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

import attrs

import vega_trio as vega


@attrs.frozen
class Told:
    """How a turn ended: its text, or its failure's class and words."""

    text: str = ""
    error_class: str = ""
    error: str = ""


Way = Callable[[vega.Process, str], Awaitable[Told]]


async def blocking(proc: vega.Process, text: str) -> Told:
    try:
        return Told((await proc.send(text)).text)
    except vega.TurnFailed as failed:
        return Told("", failed.error_class.value, str(failed))


async def streaming(proc: vega.Process, text: str) -> Told:
    """What a listener has at the end who follows the rules for resets."""
    shown = ""
    async with proc.stream(text) as events:
        async for event in events:
            match event:
                case vega.TextDelta(delta=delta):
                    shown += delta
                case vega.MessageReset(text=text):
                    shown = text
                case vega.TurnFailure():
                    return Told("", event.error_class, event.error)
                case vega.TurnFinished():
                    assert event.text == shown
    return Told(shown)


WAYS = [blocking, streaming]
