"""The incarnations of a process, told from its events: when each began, when it ended and of what. Pure."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import attrs

from vega_trio._core.codec import decode_json
from vega_trio.protocols import StoredEvent

STARTS = ("process.started", "process.restarted")
ENDS = ("process.failed", "process.completed", "process.restarting")
LIFE_EVENTS = (*STARTS, *ENDS)


@attrs.frozen(kw_only=True)
class Incarnation:
    """Times are Unix seconds; `ended_at` is None while it lives."""

    incarnation: int
    started_at: float
    ended_at: float | None = None
    exit_reason: str = ""


def incarnations(events: Iterable[StoredEvent]) -> tuple[Incarnation, ...]:
    """Oldest first, from the `LIFE_EVENTS` of one process."""
    found: list[Incarnation] = []
    for event in events:
        data = decode_json(event.body)["data"]
        if event.type in STARTS:
            found.append(Incarnation(incarnation=int(data.get("incarnation") or len(found) + 1), started_at=event.at))
        elif found and found[-1].ended_at is None:
            found[-1] = attrs.evolve(found[-1], ended_at=event.at, exit_reason=_reason(data))
    return tuple(found)


def _reason(data: dict[str, Any]) -> str:
    return ": ".join(str(each) for each in (data.get("reason"), data.get("error")) if each)
