"""Which part of a conversation a model is shown when all of it is too long.

A cut is only made where a provider accepts it: before a message of the user's that is no tool result, or, within the
last turn, before an answer of the model's. So a call and its result stay together.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import accumulate

import attrs

from vega_trio._core.window import BYTES_PER_TOKEN, about_tokens
from vega_trio.messages import DocumentPart, ImagePart, Message, Part, TextPart, ThinkingPart, ToolCall, ToolResult
from vega_trio.protocols import ModelRequest

SUMMARY_TOKENS = 2048
ASK_FOR_SUMMARY = (
    "Summarise the conversation below for yourself, so that you can go on from the summary alone. Keep names, figures,"
    " decisions, what was asked for and is not done yet, and what tools found. Write the summary only."
)


def turn_starts(messages: Sequence[Message]) -> list[int]:
    """Where turns begin."""
    return [at for at, message in enumerate(messages) if message.role == "user" and not message.tool_results]


def within(request: ModelRequest, max_tokens: int) -> ModelRequest:
    """The request without its oldest turns, as many as it takes to come to about `max_tokens`.

    The last turn stays; if it is too long by itself, its oldest answers go, and what the user asked for stays.
    """
    if about_tokens(request) <= max_tokens:
        return request
    messages = request.messages
    sizes = [message.size for message in messages]
    room = max_tokens * BYTES_PER_TOKEN - (BYTES_PER_TOKEN * about_tokens(attrs.evolve(request, messages=())))
    from_here_on = list(accumulate(reversed(sizes)))[::-1]
    starts = turn_starts(messages) or [0]
    for start in starts:
        if from_here_on[start] <= room:
            return attrs.evolve(request, messages=messages[start:])
    last = starts[-1]
    answers = [at for at in range(last + 1, len(messages)) if messages[at].role == "assistant"]
    kept = messages[last:]
    for at in answers:
        kept = (messages[last], *messages[at:])
        if sizes[last] + from_here_on[at] <= room:
            break
    return attrs.evolve(request, messages=kept)


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
