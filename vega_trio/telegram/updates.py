"""What Telegram brings, as far as it matters here, read strictly: what is not as it should be harms only itself."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final, TypeVar

import attrs

from vega_trio.telegram.splitting import clean

_T = TypeVar("_T")

PRIVATE: Final = "private"
_LONGEST_ID: Final = 2**63
_LONGEST_DATA: Final = 64


@attrs.frozen(kw_only=True)
class Message:
    """What somebody wrote, cleaned. `text` is empty for pictures and the like."""

    chat: int
    private: bool
    user: int
    is_bot: bool
    text: str


@attrs.frozen(kw_only=True)
class Press:
    """A button was pressed below message `message`. `id` is good for answering it."""

    id: str
    chat: int
    private: bool
    user: int
    message: int
    data: str


@attrs.frozen
class Update:
    """`what` is None for kinds that were not asked for, and for what cannot be read: `problem` says why."""

    id: int
    what: Message | Press | None
    problem: str = ""


def read_updates(found: object) -> list[Update]:
    """The updates of an answer; those without a number, which nobody can refer to, are left out.

    Raises: ValueError for what is no list.
    """
    if not isinstance(found, list):
        raise ValueError(f"getUpdates gave {type(found).__name__} and no list")
    return [_update(each) for each in found if isinstance(each, dict) and _is_id(each.get("update_id"))]


def _update(found: Mapping[str, Any]) -> Update:
    number = found["update_id"]
    try:
        if "message" in found:
            return Update(number, _message(_of(dict, found, "message")))
        if "callback_query" in found:
            return Update(number, _press(_of(dict, found, "callback_query")))
    except ValueError as error:
        return Update(number, None, str(error))
    return Update(number, None)


def _message(found: Mapping[str, Any]) -> Message | None:
    if "from" not in found:
        return None  # of a channel
    chat, user = _of(dict, found, "chat"), _of(dict, found, "from")
    return Message(
        chat=_id(chat, "id"),
        private=chat.get("type") == PRIVATE,
        user=_id(user, "id"),
        is_bot=user.get("is_bot") is True,
        text=clean(_of(str, found, "text")) if "text" in found else "",
    )


def _press(found: Mapping[str, Any]) -> Press | None:
    if "message" not in found:
        return None  # below a message that is too old, or not of ours
    message = _of(dict, found, "message")
    chat = _of(dict, message, "chat")
    return Press(
        id=clean(_of(str, found, "id")),
        chat=_id(chat, "id"),
        private=chat.get("type") == PRIVATE,
        user=_id(_of(dict, found, "from"), "id"),
        message=_id(message, "message_id"),
        data=clean(_of(str, found, "data"))[:_LONGEST_DATA] if "data" in found else "",
    )


def _of(kind: type[_T], found: Mapping[str, Any], key: str) -> _T:
    value = found.get(key)
    if not isinstance(value, kind):
        raise ValueError(f"{key!r} must be {kind.__name__}, not {type(value).__name__}")
    return value


def _id(found: Mapping[str, Any], key: str) -> int:
    value = found.get(key)
    if not _is_id(value):
        raise ValueError(f"{key!r} must be an id, not {str(value)[:40]!r}")
    assert isinstance(value, int)
    return value


def _is_id(value: object) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and abs(value) < _LONGEST_ID
