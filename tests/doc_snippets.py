"""The fenced snippets of the README and of docs/."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import attrs

ROOT = Path(__file__).parent.parent
RUN = frozenset({"python", "sh", "yaml", "json", "toml"})
"""Languages of which every snippet is tried."""
SHOWN = frozenset({"text", "markdown"})
"""Languages of what is only looked at: what a program prints, the front of a file."""

_FENCE = re.compile(
    r"^(?:<!-- not run: (?P<reason>[^\n]+?) -->\n+)?^(?P<indent> *)```(?P<language>[^\n`]*)\n(?P<text>.*?)^ *```$",
    re.MULTILINE | re.DOTALL,
)


@attrs.frozen
class Snippet:
    """`page` and `line` say where it begins. `reason` is why it is not run; empty when it is."""

    page: str
    line: int
    language: str
    text: str
    reason: str

    @property
    def place(self) -> str:
        return f"{self.page}:{self.line}"


def pages() -> list[Path]:
    return [ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md"))]


def snippets() -> Iterator[Snippet]:
    """All of them, those that are not run included."""
    for page in pages():
        text = page.read_text()
        for found in _FENCE.finditer(text):
            indent = len(found["indent"])
            code = "".join(line[indent:] for line in found["text"].splitlines(keepends=True))
            line = text.count("\n", 0, found.start("indent")) + 1
            name = page.relative_to(ROOT).as_posix()
            yield Snippet(name, line, found["language"], code, found["reason"] or "")


def runnable(language: str) -> list[Snippet]:
    return [each for each in snippets() if each.language == language and not each.reason]
