"""The conversation as structured parts. Tool calls and results are values, never text that is parsed again."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping
from functools import cached_property
from typing import Any, Literal, get_args

import attrs

Role = Literal["user", "assistant"]

FRAME_TOKENS = 4
"""What a provider adds around a message, a call or a tool."""

IMAGE_TOKENS = 5_000
"""More than a provider takes for an image, which it scales down first."""


def utf8_length(text: str) -> int:
    return len(text) if text.isascii() else len(text.encode("utf-8", "surrogatepass"))


def _text(part: object, field: attrs.Attribute[str], value: object) -> None:
    if not isinstance(value, str):
        raise TypeError(f"{type(part).__name__}.{field.name} must be text, not {value!r}")
    if not value.isascii() and well_formed(value) != value:
        raise ValueError(f"{type(part).__name__}.{field.name} holds half a surrogate pair, which is no Unicode text")


def _raw(part: object, field: attrs.Attribute[bytes], value: object) -> None:
    if not isinstance(value, bytes):
        raise TypeError(f"{type(part).__name__}.{field.name} must be bytes, not a {type(value).__name__}")


def _object(part: object, field: attrs.Attribute[Mapping[str, Any]], value: object) -> None:
    if not isinstance(value, Mapping):
        raise TypeError(f"{type(part).__name__}.{field.name} must be a mapping, not {value!r}")


def _image_type(part: object, field: attrs.Attribute[str], value: object) -> None:
    if not isinstance(value, str) or not value.startswith("image/"):
        raise ValueError(f"{type(part).__name__}.{field.name} must be such as 'image/png', not {value!r}")


@attrs.frozen
class TextPart:
    """Plain text."""

    text: str = attrs.field(validator=_text)

    @property
    def size(self) -> int:
        return utf8_length(self.text)


@attrs.frozen
class ToolCall:
    """The model asks for a tool. `id` pairs it with exactly one `ToolResult`; `arguments` is a JSON object."""

    id: str
    name: str
    arguments: Mapping[str, Any] = attrs.field(validator=_object)

    @property
    def size(self) -> int:
        return FRAME_TOKENS + utf8_length(self.id) + utf8_length(self.name) + utf8_length(repr(self.arguments))


@attrs.frozen
class ImagePart:
    """An image, as raw bytes; `media_type` such as `image/png`."""

    media_type: str = attrs.field(validator=_image_type)
    data: bytes = attrs.field(repr=False, validator=_raw)

    @property
    def size(self) -> int:
        return IMAGE_TOKENS


@attrs.frozen
class ToolResult:
    """What a tool call gave. `content` of a failed call starts with `Error: ` and `is_error` is true.

    `images` are for models that see; what `content` says of them is for all others.
    """

    tool_call_id: str
    content: str = attrs.field(validator=_text)
    is_error: bool = False
    images: tuple[ImagePart, ...] = ()

    @property
    def size(self) -> int:
        seen = IMAGE_TOKENS * len(self.images)
        return FRAME_TOKENS + utf8_length(self.tool_call_id) + utf8_length(self.content) + seen


@attrs.frozen
class ToolOutput:
    """What a tool gives that is more than text. `text` says what the images are, for models that do not see."""

    text: str
    images: tuple[ImagePart, ...] = ()


@attrs.frozen
class DocumentPart:
    """A document to read, as raw bytes: a PDF, or text for `text/plain`. `title` is what it is called."""

    data: bytes = attrs.field(repr=False, validator=_raw)
    media_type: str = "application/pdf"
    title: str = ""

    @property
    def size(self) -> int:
        return max(IMAGE_TOKENS, len(self.data))


@attrs.frozen
class ThinkingPart:
    """What the model thought before it spoke, as far as its provider shows it.

    `signature` and `hidden` (thinking that the provider encrypts) are the provider's: it wants them back as they were.
    """

    text: str
    signature: str = attrs.field(default="", repr=False)
    hidden: str = attrs.field(default="", repr=False)

    @property
    def size(self) -> int:
        return utf8_length(self.text) + utf8_length(self.hidden)


Part = TextPart | ToolCall | ToolResult | ImagePart | DocumentPart | ThinkingPart
_PARTS = get_args(Part)  # told apart in a third of the time that the union takes


def _as_parts(content: str | Part | Iterable[Part]) -> tuple[Part, ...]:
    if isinstance(content, str):
        return (TextPart(content),) if content else ()
    if isinstance(content, _PARTS):
        return (content,)
    parts = tuple(content) if isinstance(content, Iterable) else (content,)
    for part in parts:
        if not isinstance(part, _PARTS):
            raise TypeError(f"Message.content is text or message parts, and {part!r} is neither")
    return parts


_NOT_IN: Mapping[str, frozenset[type]] = {
    "user": frozenset({ToolCall, ThinkingPart}),
    "assistant": frozenset({ToolResult, ImagePart, DocumentPart}),
}


@attrs.frozen
class Message:
    """One message. `content` may be given as text, one part or several; it is kept as a tuple of parts.

    Tool results travel in `user` messages, as in the Anthropic Messages API.
    """

    role: Role = attrs.field()
    content: tuple[Part, ...] = attrs.field(converter=_as_parts)

    @role.validator
    def _known_role(self, _: object, role: object) -> None:
        if role not in ("user", "assistant"):
            raise ValueError(f"Message.role must be 'user' or 'assistant', not {role!r}; prompts are Agent.system")

    def __attrs_post_init__(self) -> None:
        wrong = next((part for part in self.content if type(part) in _NOT_IN[self.role]), None)
        if wrong is not None:
            raise ValueError(f"a message of role {self.role!r} holds no {type(wrong).__name__}")

    @cached_property
    def size(self) -> int:
        """At least what it comes to in tokens, frames included: each covers a byte or more. Four times a fair guess.

        Found once: a long history is measured before every call.
        """
        return FRAME_TOKENS + sum(part.size for part in self.content)

    @property
    def text(self) -> str:
        """All text parts, joined without a separator."""
        return "".join(part.text for part in self.content if isinstance(part, TextPart))

    @property
    def tool_calls(self) -> tuple[ToolCall, ...]:
        return tuple(part for part in self.content if isinstance(part, ToolCall))

    @property
    def tool_results(self) -> tuple[ToolResult, ...]:
        return tuple(part for part in self.content if isinstance(part, ToolResult))


@attrs.frozen
class Compact:
    """Mail that asks an agent to replace the older part of its conversation by a summary."""


@attrs.frozen
class Usage:
    """Tokens of one or several model calls. `input_tokens` leaves out what the cache served or stored."""

    input_tokens: int = 0
    output_tokens: int = 0
    cache_read_tokens: int = 0
    cache_write_tokens: int = 0

    def __add__(self, other: Usage) -> Usage:
        return Usage(
            self.input_tokens + other.input_tokens,
            self.output_tokens + other.output_tokens,
            self.cache_read_tokens + other.cache_read_tokens,
            self.cache_write_tokens + other.cache_write_tokens,
        )


def content_id(data: bytes) -> str:
    """What a file is called by what it holds: the same bytes have the same id, and others have another."""
    return hashlib.sha256(data).hexdigest()[:32]


def well_formed(text: str) -> str:
    """The text with halves of surrogate pairs, which no encoding can write, joined or replaced."""
    try:
        text.encode()
    except UnicodeEncodeError:
        return text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
    return text


def well_formed_call(call: ToolCall) -> ToolCall:
    """The call with every text of it well-formed."""
    return ToolCall(well_formed(call.id), well_formed(call.name), _well_formed(call.arguments))


def _well_formed(value: Any) -> Any:
    match value:
        case str():
            return well_formed(value)
        case Mapping():
            return {_well_formed(key): _well_formed(each) for key, each in value.items()}
        case list():
            return [_well_formed(each) for each in value]
        case _:
            return value


def as_message(sent: object) -> Message:
    """What is sent to an agent, as the user's message: text, a `Message` or message parts.

    Raises: TypeError, ValueError for what no user says.
    """
    if isinstance(sent, str):
        sent = well_formed(sent)
    if isinstance(sent, str | tuple | list | Part):
        sent = Message("user", sent)
    if not isinstance(sent, Message):
        raise TypeError(f"an agent takes text, a Message or message parts, not {type(sent).__name__}")
    if sent.role != "user":
        raise ValueError("an agent takes messages of role 'user'; what was said before goes into spawn(messages=...)")
    if sent.tool_results:
        raise ValueError("an agent takes no tool results: it runs its tools itself")
    return sent
