"""A conversation as a text of its own: Markdown to read, or plain data with all its parts."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import attrs

from vega_trio._core.codec import encode_message
from vega_trio._core.wire import rfc3339
from vega_trio.app.archive import SessionInfo
from vega_trio.app.chat import transcript
from vega_trio.changes import MessageRow


def markdown(info: SessionInfo, rows: Sequence[MessageRow]) -> str:
    """What each side said, turn by turn, with what tools gave."""
    blocks = [f"# {info.title or info.agent}", f"With {info.agent}, begun {info.created_at}."]
    for each in transcript(list(rows)):
        blocks.append(f"## {info.agent if each.role == 'assistant' else info.user}, {rfc3339(each.created_at)}")
        blocks += [f"*{call.tool_name}* gave:\n\n{_fenced(call.result)}" for call in each.tool_calls]
        blocks += [f"(with {file.name or 'an image'}, {file.media_type})" for file in each.attachments]
        if each.content:
            blocks.append(each.content)
    return "\n\n".join(blocks) + "\n"


def exported(info: SessionInfo, rows: Sequence[MessageRow]) -> dict[str, Any]:
    """The conversation and its messages, part by part."""
    return {**attrs.asdict(info), "messages": [message_fields(row) for row in rows]}


def message_fields(row: MessageRow) -> dict[str, Any]:
    """A message as it is stored."""
    return {
        "seq": row.seq,
        "turn_id": row.turn_id,
        "role": row.message.role,
        "content": row.message.text,
        "parts": tuple(encode_message(row.message)["content"]),
        "created_at": rfc3339(row.at),
    }


def _fenced(text: str) -> str:
    """As a block of code whose fence is longer than any in the text."""
    fence = "```"
    while fence in text:
        fence += "`"
    return f"{fence}\n{text}\n{fence}"
