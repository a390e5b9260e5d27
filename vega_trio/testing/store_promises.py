"""What the checks of a store are written with: sample changes, and assertions that say what was promised."""

from __future__ import annotations

from typing import Any

from vega_trio.changes import AppendEvent, AppendMessage, MessageRow, OpRow
from vega_trio.errors import StoreError
from vega_trio.events import Event, ProcessStarted
from vega_trio.messages import Message
from vega_trio.protocols import Commit


def event_change(process_id: str = "p") -> AppendEvent:
    event: Event = ProcessStarted(process_id=process_id, at=1.0)
    return AppendEvent(event)


def op_row(seq: int, *, process_id: str = "p", turn_id: str = "t", key: str = "", **fields: Any) -> OpRow:
    key = key or f"{turn_id}/{seq}"
    fields.setdefault("begun_at", 1.0)
    return OpRow(process_id=process_id, seq=seq, turn_id=turn_id, kind="tool", name="search", key=key, **fields)


def message_change(seq: int, message: Message | None = None, process_id: str = "p") -> AppendMessage:
    said = Message("user", "hello") if message is None else message
    return AppendMessage(MessageRow(process_id=process_id, seq=seq, turn_id="t", message=said, at=seq / 2))


async def fails(commit: Commit, what: str) -> None:
    try:
        await commit.wait()
    except StoreError:
        that(commit.done and isinstance(commit.error, StoreError), f"{what} is done, with its error")
    else:
        raise AssertionError(f"{what} must fail with a StoreError")


def that(holds: bool, promise: str) -> None:
    if not holds:
        raise AssertionError(f"this does not hold: {promise}")


def equal(found: object, expected: object, promise: str) -> None:
    if found != expected:
        raise AssertionError(f"{promise}: found {found!r}, expected {expected!r}")
