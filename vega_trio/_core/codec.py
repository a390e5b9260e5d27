"""Messages and JSON: what a conversation looks like in a file, in the database and in an export.

A message is `{"role": "user", "content": [PART, ...]}` and a part one of

    {"type": "text", "text": TEXT}
    {"type": "tool_call", "id": ID, "name": NAME, "arguments": {..}}
    {"type": "tool_result", "tool_call_id": ID, "content": TEXT, "is_error": true, "images": [IMAGE, ..]}
                                                            is_error only when true, images only if any
    {"type": "image", "media_type": "image/png", "data": BASE64}
    {"type": "document", "media_type": "application/pdf", "data": BASE64, "title": TEXT}   title only if any
    {"type": "thinking", "text": TEXT, "signature": TEXT, "hidden": TEXT}       the last two only where there are any

Reading is strict, since such a file may come from anywhere: an unknown key, a missing one or a wrong type is a
`ValueError` that names the value and its place. Only `"content": "text"` is taken as well as a list of parts.
"""

from __future__ import annotations

from base64 import b64decode, b64encode
from collections.abc import Iterable, Mapping
from typing import Any, Final, assert_never

import msgspec

from vega_trio.errors import did_you_mean
from vega_trio.messages import DocumentPart, ImagePart, Message, Part, TextPart, ThinkingPart, ToolCall, ToolResult

_PART_TYPES = ("text", "tool_call", "tool_result", "image", "document", "thinking")


def dump_messages(messages: Iterable[Message]) -> bytes:
    """The messages as one compact JSON array, for `load_messages`.

    Raises: ValueError when a tool call's arguments hold what JSON cannot.
    """
    return encode_json([encode_message(message) for message in messages])


def load_messages(data: bytes | str) -> list[Message]:
    """What `dump_messages` wrote, or the like written by hand.

    Raises: ValueError naming what is wrong and where (`messages[2].content[0].arguments must be ...`).
    """
    value = decode_json(data)
    if not isinstance(value, list):
        raise ValueError(f"messages must be a JSON array of messages, not {_kind(value)}")
    return [decode_message(each, f"messages[{index}]") for index, each in enumerate(value)]


def encode_message(message: Message) -> dict[str, Any]:
    """The message as a JSON value."""
    return {"role": message.role, "content": [_encode_part(part) for part in message.content]}


def decode_message(value: object, where: str = "message") -> Message:
    """The message that a JSON value describes; `where` is its place, for errors. Raises: ValueError."""
    fields = _object(value, where, ("role", "content"))
    role, content = _text(fields, "role", where), fields["content"]
    if role not in ("user", "assistant"):
        raise ValueError(f"{where}.role must be 'user' or 'assistant', not {role!r}")
    if isinstance(content, str):
        return Message(role, content)  # type: ignore[arg-type]
    if not isinstance(content, list):
        raise ValueError(f"{where}.content must be text or a list of parts, not {_kind(content)}")
    parts = tuple(_decode_part(part, f"{where}.content[{index}]") for index, part in enumerate(content))
    return Message(role, parts)  # type: ignore[arg-type]


def encode_json(value: object) -> bytes:
    """Compact UTF-8 JSON of plain values and any `Mapping`.

    Raises: ValueError when the value holds what JSON cannot: an unknown type, half a surrogate pair, no end.
    """
    try:
        return _ENCODER.encode(value)
    except (TypeError, ValueError, RecursionError) as error:
        raise ValueError(f"cannot be written as JSON: {error}") from error


def decode_json(data: bytes | str) -> Any:
    """The value of a JSON text. Raises: ValueError."""
    try:
        return msgspec.json.decode(data)
    except (ValueError, RecursionError) as error:
        raise ValueError(f"not valid JSON: {error}") from error


def _encode_part(part: Part) -> dict[str, Any]:
    match part:
        case TextPart(text):
            return {"type": "text", "text": text}
        case ToolCall(id_, name, arguments):
            return {"type": "tool_call", "id": id_, "name": name, "arguments": arguments}
        case ToolResult(call_id, content, is_error, images):
            mark: dict[str, Any] = {"is_error": True} if is_error else {}
            mark |= {"images": [_encode_part(each) for each in images]} if images else {}
            return {"type": "tool_result", "tool_call_id": call_id, "content": content, **mark}
        case ImagePart(media_type, data):
            return {"type": "image", "media_type": media_type, "data": b64encode(data).decode("ascii")}
        case DocumentPart(data, media_type, title):
            named = {"title": title} if title else {}
            return {"type": "document", "media_type": media_type, "data": b64encode(data).decode("ascii"), **named}
        case ThinkingPart(text, signature, hidden):
            marks = {"signature": signature} if signature else {}
            return {"type": "thinking", "text": text, **marks, **({"hidden": hidden} if hidden else {})}
        case _:
            assert_never(part)


def _decode_part(value: object, where: str) -> Part:
    if not isinstance(value, dict):
        raise ValueError(f"{where} must be an object with a 'type', not {_kind(value)}")
    match value.get("type"):
        case "text":
            fields = _object(value, where, ("type", "text"))
            return TextPart(_text(fields, "text", where))
        case "tool_call":
            fields = _object(value, where, ("type", "id", "name", "arguments"))
            return ToolCall(_text(fields, "id", where), _text(fields, "name", where), _arguments(fields, where))
        case "tool_result":
            fields = _object(value, where, ("type", "tool_call_id", "content"), ("is_error", "images"))
            call_id, content = _text(fields, "tool_call_id", where), _text(fields, "content", where)
            return ToolResult(call_id, content, _is_error(fields, where), _images(fields, where))
        case "image":
            fields = _object(value, where, ("type", "media_type", "data"))
            return ImagePart(_text(fields, "media_type", where), _bytes(fields, where))
        case "document":
            fields = _object(value, where, ("type", "media_type", "data"), ("title",))
            title = _text(fields, "title", where) if "title" in fields else ""
            return DocumentPart(_bytes(fields, where), _text(fields, "media_type", where), title)
        case "thinking":
            fields = _object(value, where, ("type", "text"), ("signature", "hidden"))
            given = {key: _text(fields, key, where) for key in ("signature", "hidden") if key in fields}
            return ThinkingPart(_text(fields, "text", where), **given)
        case other:
            raise ValueError(f"{where}.type must name a part, not {other!r}{did_you_mean(str(other), _PART_TYPES)}")


def _object(value: object, where: str, required: tuple[str, ...], optional: tuple[str, ...] = ()) -> dict[str, Any]:
    if not isinstance(value, dict):
        raise ValueError(f"{where} must be an object, not {_kind(value)}")
    for key in required:
        if key not in value:
            raise ValueError(f"{where} has no {key!r}")
    for key in value:
        if key not in required and key not in optional:
            raise ValueError(f"{where} has an unknown key {key!r}{did_you_mean(str(key), required + optional)}")
    return value


def _text(fields: dict[str, Any], key: str, where: str) -> str:
    value = fields[key]
    if not isinstance(value, str):
        raise ValueError(f"{where}.{key} must be text, not {_kind(value)}")
    return value


def _arguments(fields: dict[str, Any], where: str) -> Mapping[str, Any]:
    value = fields["arguments"]
    if not isinstance(value, dict):
        raise ValueError(f"{where}.arguments must be an object, not {_kind(value)}")
    return value


def _is_error(fields: dict[str, Any], where: str) -> bool:
    value = fields.get("is_error", False)
    if not isinstance(value, bool):
        raise ValueError(f"{where}.is_error must be true or false, not {_kind(value)}")
    return value


def _images(fields: dict[str, Any], where: str) -> tuple[ImagePart, ...]:
    value = fields.get("images", [])
    if not isinstance(value, list):
        raise ValueError(f"{where}.images must be a list, not {_kind(value)}")
    parts = [_decode_part(each, f"{where}.images[{index}]") for index, each in enumerate(value)]
    for index, part in enumerate(parts):
        if not isinstance(part, ImagePart):
            raise ValueError(f"{where}.images[{index}].type must be 'image'")
    return tuple(part for part in parts if isinstance(part, ImagePart))


def _bytes(fields: dict[str, Any], where: str) -> bytes:
    try:
        return b64decode(_text(fields, "data", where).encode("ascii"), validate=True)
    except ValueError as error:
        raise ValueError(f"{where}.data must be base64: {error}") from error


def _as_plain(value: object) -> object:
    if isinstance(value, Mapping):
        return dict(value)
    raise TypeError(f"a {type(value).__name__} is not a JSON value")


_ENCODER: Final = msgspec.json.Encoder(enc_hook=_as_plain)


def _kind(value: object) -> str:
    """What a person would call the value, with the value where it is short."""
    match value:
        case None:
            return "null"
        case bool():
            return "true" if value else "false"
        case int() | float():
            return f"the number {value}"
        case str():
            return f"the text {value[:40]!r}"
        case list():
            return "a list"
        case dict():
            return "an object"
        case _:
            return f"a {type(value).__name__}"
