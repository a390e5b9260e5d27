"""What happens, as log records: one for each durable event, under `vega_trio.` and the first word of its type.

A record's `vega` is a mapping for handlers that want fields: `process agent turn run incarnation`, and the event's own.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping
from typing import Any, Final

from vega_trio._core.wire import event_to_wire
from vega_trio.events import Event

_ROOT: Final = logging.getLogger("vega_trio")
_LONGEST: Final = 200
_LOUD: Final = ("alert.", "supervisor.")
_MOVED: Final = {"incarnation": "incarnation", "turn_id": "turn", "session_id": "session", "run_id": "run"}


def reaches_anybody(logger: logging.Logger, level: int) -> bool:
    """Whether a record would be heard of. To make one costs as much as an event, and a library is often not asked."""
    heard: logging.Logger | None = logger if logger.isEnabledFor(level) else None
    while heard is not None:
        if not all(isinstance(each, logging.NullHandler) for each in heard.handlers):
            return True
        heard = heard.parent if heard.propagate else None
    return False


def log_event(event: Event) -> None:
    """At level info; alerts and what supervisors give up at warning."""
    level = logging.WARNING if event.type.startswith(_LOUD) else logging.INFO
    if not _ROOT.isEnabledFor(level):
        return
    wire = event_to_wire(event)
    fields = {"process": wire.get("process_id"), "agent": wire.get("agent")}
    own: dict[str, Any] = {}
    for name, value in wire["data"].items():
        (fields if name in _MOVED else own)[_MOVED.get(name, name)] = value
    say(event.type.partition(".")[0], level, event.type, {**fields, "event": event.type, **own}, shown=own)


def say(family: str, level: int, what: str, fields: Mapping[str, Any], *, shown: Mapping[str, Any]) -> None:
    """One record of the logger `vega_trio.FAMILY`: `WHAT agent=.. name=..`, with all `fields` beside it."""
    whose = {"agent": fields.get("agent"), "process": fields.get("process"), **shown}
    words = " ".join(f"{name}={_short(value)}" for name, value in whose.items() if value not in (None, "", {}, 0))
    kept = {name: value for name, value in fields.items() if value is not None}
    logging.getLogger(f"vega_trio.{family}").log(level, "%s %s", what, words, extra={"vega": kept})


def _short(value: object) -> str:
    text = " ".join(str(value).split())
    return text if len(text) <= _LONGEST else text[: _LONGEST - 3] + "..."
