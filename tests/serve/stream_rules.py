"""What every chat stream keeps, in either version; the rules are those that AG-UI's validators check of its streams.

Every whole stream that the tests of the server read is held to them (`Served.chat`).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import pairwise
from typing import Any, Protocol

FIRST = ("text_delta", "tool_start", "tool_end", "error", "done")
"""The types that version 1 knows."""
AT_END = ("error", "done")


class Shown(Protocol):
    """A frame as a client reads it."""

    @property
    def event(self) -> str: ...
    @property
    def data(self) -> dict[str, Any]: ...
    @property
    def id(self) -> str: ...


def broken_rules(frames: Iterable[Shown], version: int = 1) -> list[str]:
    """What is wrong with a whole stream."""
    return list(_broken(list(frames), version))


def _broken(frames: list[Shown], version: int) -> Iterator[str]:
    kinds = [frame.event for frame in frames]
    if kinds.count("done") != 1 or kinds[-1] != "done":
        yield "done is there once, at the end"
    if "error" in kinds and kinds[-2:] != ["error", "done"]:
        yield "an error comes right before done"
    for frame in frames:
        if next(iter(frame.data), None) != "type" or frame.data["type"] != frame.event:
            yield f"the first key of {frame.event} is its type"
        if frame.event == "text_delta" and not frame.data.get("delta"):
            yield "a delta says something"
        if version == 1 and frame.event not in FIRST:
            yield f"version 1 knows no {frame.event}"
    yield from _numbers(frames)
    yield from _tools(frames)


def _numbers(frames: list[Shown]) -> Iterator[str]:
    turns = {frame.id.rpartition(":")[0] for frame in frames}
    numbers = [int(frame.id.rpartition(":")[2]) for frame in frames]
    if len(turns) != 1 or "" in turns:
        yield "all frames are of one turn"
    if any(later <= earlier for earlier, later in pairwise(numbers)):
        yield "numbers rise"


def _tools(frames: list[Shown]) -> Iterator[str]:
    open_: dict[str, str] = {}
    for frame in frames:
        call, name = frame.data.get("tool_call_id", ""), frame.data.get("tool_name", "")
        if frame.event == "tool_start":
            if call in open_:
                yield f"the call {call} begins once"
            open_[call] = name
        elif frame.event == "tool_end" and open_.pop(call, None) != name:
            yield f"the end of the call {call} has its beginning"
    if open_:
        yield f"the calls {sorted(open_)} have an end"
