"""Which part of a conversation a model is shown when all of it is too long.

A cut is only made where a provider accepts it: before a message of the user's that is no tool result, or, within the
last turn, before an answer of the model's. So a call and its result stay together.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import accumulate

import attrs

from vega_trio._core.window import BYTES_PER_TOKEN, about_tokens, message_bytes
from vega_trio.messages import DocumentPart, ImagePart, Message, Part, TextPart, ThinkingPart, ToolCall, ToolResult
from vega_trio.protocols import ModelRequest

SUMMARY_TOKENS = 2048
STEPS = 8
CACHED_TOKENS = 1024
"""No provider caches a shorter beginning (Anthropic: prompt caching), so nothing is gained by keeping one."""

ASK_FOR_SUMMARY = (
    "Summarise the conversation below for yourself, so that you can go on from the summary alone. Keep names, figures,"
    " decisions, what was asked for and is not done yet, and what tools found. Write the summary only."
)


def turn_starts(messages: Sequence[Message]) -> list[int]:
    """Where turns begin."""
    return [at for at, message in enumerate(messages) if message.role == "user" and not message.tool_results]


def within(request: ModelRequest, max_tokens: int) -> ModelRequest:
    """The request without its oldest turns, as many as it takes to come to about `max_tokens`.

    They go an eighth of `max_tokens` at a time, so that the beginning stays as it is for many calls: providers cache
    it, and take a tenth for what they have cached. The last turn stays; if it is too long by itself, its oldest
    answers go, and what the user asked for stays.
    """
    if not request.messages or about_tokens(request) <= max_tokens:
        return request
    room = BYTES_PER_TOKEN * (max_tokens - about_tokens(attrs.evolve(request, messages=())))
    sizes = [message.size for message in request.messages]
    from_here_on = list(accumulate(reversed(sizes)))[::-1]
    starts = turn_starts(request.messages) or [0]
    fitting = [start for start in starts if from_here_on[start] <= room]
    if not fitting:
        return attrs.evolve(request, messages=_last_turn(request.messages[starts[-1] :], room))
    step = BYTES_PER_TOKEN * (max_tokens // STEPS)
    if step >= BYTES_PER_TOKEN * CACHED_TOKENS:
        least = -(-(from_here_on[0] - room) // step) * step
        fitting = [start for start in fitting if from_here_on[0] - from_here_on[start] >= least] or fitting
    return attrs.evolve(request, messages=request.messages[fitting[0] :])


def _last_turn(messages: Sequence[Message], room: int) -> tuple[Message, ...]:
    """What was asked, and the newest answers that fit; the last one always."""
    kept = tuple(messages)
    for at, message in enumerate(messages):
        if at and message.role == "assistant":
            kept = (messages[0], *messages[at:])
            if message_bytes(kept) <= room:
                break
    return kept


def to_summarise(messages: Sequence[Message], keep: int) -> int:
    """How many of the oldest messages to replace by a summary, so that at least `keep` stay; 0: none."""
    return max((start for start in turn_starts(messages) if start <= len(messages) - keep), default=0)


def summary_request(messages: Sequence[Message], max_tokens: int) -> ModelRequest:
    """Asks for a summary. The conversation is quoted as text, since it may hold calls of tools that are not offered."""
    quoted = "\n\n".join(f"{message.role}: {'; '.join(map(_quoted, message.content))}" for message in messages)
    text = f"{ASK_FOR_SUMMARY}\n\n<conversation>\n{quoted}\n</conversation>"
    return ModelRequest(messages=(Message("user", text),), max_tokens=min(max_tokens, SUMMARY_TOKENS))


def _quoted(part: Part) -> str:
    match part:
        case TextPart(text=text):
            return text
        case ToolCall(name=name, arguments=arguments):
            return f"(calls {name} with {dict(arguments)!r})"
        case ToolResult(content=content):
            return f"(result: {content})"
        case ImagePart(media_type=media_type):
            return f"(an image, {media_type})"
        case DocumentPart(media_type=media_type, title=title):
            return f"(a document, {title or media_type})"
        case ThinkingPart(text=text):
            return f"(thinks: {text})"


def summary_message(text: str) -> Message:
    """What stands for the messages that were summarised."""
    return Message("user", f"<summary_of_the_conversation_so_far>\n{text}\n</summary_of_the_conversation_so_far>")
