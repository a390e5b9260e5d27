"""What a delegate is told: who asks, what was said before, and the task. Pure.

What was said is quoted, so that nothing in it can pass for the task.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from html import escape

from vega_trio.messages import Message

LONGEST_QUOTE = 4000  # characters of one message; a delegate is to know what it is about, not to read it all


def delegated_task(task: str, *, asker: str, history: Sequence[Message], window: int, roles: Iterable[str]) -> str:
    """The message to a delegate. `window`: how many of the last messages of `roles` precede it; 0 for none."""
    if window == 0:
        return task
    wanted = set(roles)
    said = [(each.role, each.text.strip()) for each in history if each.role in wanted and each.text.strip()]
    lines = [f"{role}: {escape(_shortened(text), quote=False)}" for role, text in said[-window:]]
    quoted = ["<recent_conversation>", *lines, "</recent_conversation>"] if lines else []
    context = ["<delegation_context>", f"<from>{escape(asker, quote=False)}</from>", *quoted, "</delegation_context>"]
    return "\n".join([*context, "<task>", task, "</task>"])


def _shortened(text: str) -> str:
    return text if len(text) <= LONGEST_QUOTE else f"{text[:LONGEST_QUOTE]} [...]"
