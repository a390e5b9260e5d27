"""What goes to a model and what comes of it, as values: the request with its tools, the pieces of the answer."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Any, Final, Literal

import attrs

from vega_trio.messages import Message, ThinkingPart, ToolCall, Usage

TOOL_NAME: Final = re.compile(r"[A-Za-z0-9_-]{1,64}")
"""What every provider of models takes for a tool's name."""

EFFECTS: Final = ("read", "write", "network", "exec")
"""What a tool may do besides giving an answer."""

TOOL_TIMEOUT_S: Final = 30.0
"""Of a tool, or an MCP server, that does not say how long a call may take."""

ApprovalMode = Literal["auto", "always", "never"]
"""Whether a tool's calls wait for a person: by the rules, always, or not by the rule of mixing."""


DEFAULT_MAX_TOKENS: Final = 8192
"""Of one reply; `VEGA_MAX_TOKENS` is another default."""


@attrs.frozen(kw_only=True)
class ToolSpec:
    """What a model and the turn loop know of a tool. `parameters` is a JSON Schema of type object.

    `timeout_s` bounds one call. `effects` are among EFFECTS. `chooses_destination`: with
    effect network, whether its arguments say which host is reached, so that the model chooses it. `asks(arguments)`
    says why a person must approve a call with these arguments; empty, none must.
    """

    name: str
    description: str
    parameters: Mapping[str, Any]
    timeout_s: float | None = TOOL_TIMEOUT_S
    idempotent: bool = False
    effects: frozenset[str] = frozenset()
    approval: ApprovalMode = "auto"
    chooses_destination: bool = False
    asks: Callable[[Mapping[str, Any]], str] | None = attrs.field(default=None, eq=False, repr=False)


@attrs.frozen
class OutputSpec:
    """What a typed agent's replies must be: JSON that fits `schema`, a JSON Schema.

    `structure` makes the value of it. Raises: ValueError for what the schema lets pass and the class does not.
    """

    schema: Mapping[str, Any]
    structure: Callable[[Any], Any] = attrs.field(repr=False)


@attrs.frozen(kw_only=True)
class ModelRequest:
    """One call of a model. `messages` alternate or not, as the conversation was; every tool call has its result.

    `output_schema` is what the answer's text must fit, for providers that can see to it; `system` says so too.
    `key` names the call in the journal: the same when it is repeated after a failure or a crash; empty, it has none.
    `thinking` is as in `Agent`.
    """

    messages: tuple[Message, ...]
    system: str = ""
    tools: tuple[ToolSpec, ...] = ()
    temperature: float | None = None
    max_tokens: int = DEFAULT_MAX_TOKENS
    output_schema: Mapping[str, Any] | None = None
    key: str = ""
    thinking: int | Literal["adaptive"] | None = None


@attrs.frozen
class TextChunk:
    """The next piece of text; never splits a character."""

    text: str


@attrs.frozen
class ThinkingChunk:
    """The next piece of what the model thinks, as far as it is shown."""

    text: str


@attrs.frozen
class ModelDone:
    """The last of a stream. `stop_reason` as in the Messages API: end_turn, tool_use, max_tokens, refusal, ..."""

    stop_reason: str
    usage: Usage


ModelEvent = TextChunk | ThinkingChunk | ThinkingPart | ToolCall | ModelDone
"""A `ThinkingPart` is thinking that is complete, and is kept in the history; its chunks came before it."""
