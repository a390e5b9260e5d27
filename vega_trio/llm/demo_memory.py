"""What the demo model answers when it is asked to write what an agent remembers of its user."""

from __future__ import annotations

import json
import re

from vega_trio.llm.demo_turn import Step, Turn

_KEYS = frozenset({"profile", "journal", "notes"})
_NAME = re.compile(r"\b(?:my name is|call me|i am called)\s+([A-Z][\w-]{0,40})", re.IGNORECASE)
_NOTE = re.compile(r"\bremember(?: that)?:?\s+([^\n.!?]{3,200})", re.IGNORECASE)


def is_memory(turn: Turn) -> bool:
    return turn.wanted == _KEYS


def memory(turn: Turn) -> tuple[Step, ...]:
    """Who says his name has a profile, what is to be remembered is a note, and what was asked is in the journal."""
    profile, notes = (_quoted(turn.question, name)[0] for name in ("profile", "notes"))
    asked = "\n".join(_quoted(turn.question, "user"))
    if found := _NAME.search(asked):
        profile = f"The user is called {found[1]}."
    for found in _NOTE.finditer(asked):
        line = f"- {found[1].strip()}"
        notes = notes if line in notes.splitlines() else f"{notes}\n{line}".strip()
    journal = f"Asked: {' '.join(asked.split())[:120]}"
    return (json.dumps({"profile": profile, "journal": journal, "notes": notes}),)


def _quoted(text: str, name: str) -> list[str]:
    return [found.strip() for found in re.findall(rf"<{name}>\n(.*?)\n?</{name}>", text, re.DOTALL)] or [""]
