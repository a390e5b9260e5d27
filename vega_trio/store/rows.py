"""What both stores write, in plain form: made when a change is submitted, so that it holds what was true then."""

from __future__ import annotations

from collections.abc import Mapping
from hashlib import sha256
from typing import Any, Final

from vega_trio._core.codec import decode_json, decode_message, encode_json, encode_message
from vega_trio.changes import MailRow, MessageRow, OpRow
from vega_trio.errors import StoreError, did_you_mean

RECORD_TABLES: Final = (
    "session",
    "turn",
    "wf_run",
    "wf_step",
    "setting",
    "approval",
    "wf_memory",
    "blackboard",
    "composed_agent",
    "agent_def",
    "user_memory",
    "memory_item",
    "request",
    "token",
    "mcp_server",
    "schedule",
    "channel_offset",
)

LONG: Final = 16 * 1024  # characters; what is longer lies in a table of its own, so that the hot ones stay small
BLOB: Final = "blob:"  # no JSON text begins so


def message_parts(row: MessageRow | MailRow) -> bytes:
    """The message's parts as compact JSON. Raises: ValueError when they hold what JSON cannot."""
    return encode_json(encode_message(row.message)["content"])


def message_row(process_id: str, seq: int, turn_id: str, role: str, parts: bytes | str, at: float) -> MessageRow:
    """A stored message. Raises: ValueError when its parts are not as `message_parts` writes them."""
    message = decode_message({"role": role, "content": decode_json(parts)}, f"message {seq} of process {process_id}")
    return MessageRow(process_id=process_id, seq=seq, turn_id=turn_id, message=message, at=at)


def json_object(value: Mapping[str, Any]) -> str:
    """A call's request or result as compact JSON. Raises: ValueError."""
    return encode_json(value).decode()


def op_row(values: Mapping[str, Any]) -> OpRow:
    """A stored call, from the columns of table `op`. Raises: ValueError when it is not as we write it."""
    fields = dict(values)
    result = fields.pop("result")
    return OpRow(
        process_id=fields.pop("process"),
        turn_id=fields.pop("turn"),
        cost_microusd=fields.pop("cost"),
        reserved_microusd=fields.pop("reserved"),
        request=decode_json(fields.pop("req")),
        result=None if result is None else decode_json(result),
        **fields,
    )


def mail_row(
    process: str, id_: str, root_id: str, sender: str | None, role: str, parts: str, at: float, tools: str | None
) -> MailRow:
    """A stored mail. Raises: ValueError when its parts are not as `message_parts` writes them."""
    message = decode_message({"role": role, "content": decode_json(parts)}, f"mail {id_} of process {process}")
    narrowed = None if tools is None else tuple(decode_json(tools))
    return MailRow(
        process_id=process, id=id_, root_id=root_id, sender_id=sender, message=message, at=at, tools=narrowed
    )


def pair(one: str, other: str) -> tuple[str, str]:
    """A link in the one way in which it is written down."""
    return (one, other) if one <= other else (other, one)


def packed(text: str) -> tuple[str, str | None]:
    """What the column of a text holds, and the SHA-256 under which a long one is kept as a blob, or None."""
    if len(text) <= LONG:
        return text, None
    digest = sha256(text.encode()).hexdigest()
    return BLOB + digest, digest


def record_row(table: str, key: str, row: Mapping[str, Any]) -> bytes:
    """A row of an application table as compact JSON. Raises: StoreError, ValueError."""
    check_table(table)
    if not isinstance(row, Mapping):
        raise ValueError(f"row {key!r} of table {table!r} must be a mapping, not {type(row).__name__}")
    return encode_json(row)


def check_table(table: str) -> None:
    """Raises: StoreError when there is no such application table."""
    if table not in RECORD_TABLES:
        raise StoreError(f"there is no application table {table!r}{did_you_mean(table, RECORD_TABLES)}")


def check_filter(table: str, equals: Mapping[str, Any]) -> None:
    """What `Records.query` may ask for: plain field names, and values that a row can be compared with.

    Raises: StoreError.
    """
    check_table(table)
    for field, value in equals.items():
        if not (field.isascii() and field.isidentifier()):
            raise StoreError(f"{field!r} is no field name that table {table!r} can be asked for")
        if not isinstance(value, str | int | float | None) or (isinstance(value, int) and abs(value) >= 2**63):
            raise StoreError(f"table {table!r} cannot be asked for {field}={value!r}: give text, a number or None")


def matches(row: Mapping[str, Any], equals: Mapping[str, Any]) -> bool:
    """Whether the row's fields equal the values; None equals null and what is not there."""
    return all(row.get(field) == value for field, value in equals.items())


def refusal(error: StoreError | ValueError) -> StoreError:
    """Why a change cannot be written down, as those who wait for it are told."""
    return error if isinstance(error, StoreError) else StoreError(f"a change {error}; nothing of it was kept")
