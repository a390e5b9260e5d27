"""The conversation as structured parts. Tool calls and results are values, never text that is parsed again."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, Literal

import attrs

Role = Literal["user", "assistant"]


@attrs.frozen
class TextPart:
    """Plain text."""

    text: str


@attrs.frozen
class ToolCall:
    """The model asks for a tool. `id` pairs it with exactly one `ToolResult`; `arguments` is a JSON object."""

    id: str
    name: str
    arguments: Mapping[str, Any]


@attrs.frozen
class ImagePart:
    """An image, as raw bytes; `media_type` such as `image/png`."""

    media_type: str
    data: bytes = attrs.field(repr=False)


@attrs.frozen
class ToolResult:
    """What a tool call gave. `content` of a failed call starts with `Error: ` and `is_error` is true.

    `images` are for models that see; what `content` says of them is for all others.
    """

    tool_call_id: str
    content: str
    is_error: bool = False
    images: tuple[ImagePart, ...] = ()


@attrs.frozen
class ToolOutput:
    """What a tool gives that is more than text. `text` says what the images are, for models that do not see."""

    text: str
    images: tuple[ImagePart, ...] = ()


@attrs.frozen
class DocumentPart:
    """A document to read, as raw bytes: a PDF, or text for `text/plain`. `title` is what it is called."""

    data: bytes = attrs.field(repr=False)
    media_type: str = "application/pdf"
    title: str = ""


@attrs.frozen
class ThinkingPart:
    """What the model thought before it spoke, as far as its provider shows it.

    `signature` and `hidden` (thinking that the provider encrypts) are the provider's: it wants them back as they were.
    """

    text: str
    signature: str = attrs.field(default="", repr=False)
    hidden: str = attrs.field(default="", repr=False)


Part = TextPart | ToolCall | ToolResult | ImagePart | DocumentPart | ThinkingPart


def _as_parts(content: str | Part | Iterable[Part]) -> tuple[Part, ...]:
    if isinstance(content, str):
        return (TextPart(content),) if content else ()
    if isinstance(content, Part):
        return (content,)
    return tuple(content)


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


def as_message(sent: object) -> Message | None:
    """What was sent to an agent, as the user's message: text, a `Message` or message parts; None for anything else."""
    if isinstance(sent, Message):
        return sent
    if isinstance(sent, str):
        return Message("user", well_formed(sent))
    if isinstance(sent, Part):
        return Message("user", sent)
    if isinstance(sent, tuple | list) and all(isinstance(part, Part) for part in sent):
        return Message("user", sent)
    return None
