"""docs/security.md names, for each threat to what agents can touch, the tests that hold it off: here they exist."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import pytest

TESTS = Path(__file__).parents[1]
PAGE = TESTS.parent / "docs" / "security.md"
THREATS = (
    "SSRF",
    "Argument injection",
    "File sandbox",
    "Commands",
    "Tool rights",
    "Injection, approvals",
    "MCP",
    "YAML, regex",
)


def table() -> dict[str, list[tuple[str, str]]]:
    """File and name of the tests, by threat."""
    sections = re.split(r"^## (.+)$", PAGE.read_text(encoding="utf-8"), flags=re.MULTILINE)[1:]
    return {
        threat: re.findall(r"^- `(\S+)::(\w+)`$", text, re.MULTILINE)
        for threat, text in zip(sections[::2], sections[1::2], strict=True)
    }


def _names(path: Path) -> set[str]:
    tree = ast.parse(path.read_text(encoding="utf-8"))
    return {node.name for node in ast.walk(tree) if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)}


@pytest.mark.parametrize("threat", THREATS)
def test_each_threat_is_held_off_by_tests_of_these_names(threat: str) -> None:
    named = table()[threat]
    assert named, f"{PAGE} names no test for {threat!r}"
    missing = [f"{file}::{name}" for file, name in named if name not in _names(TESTS / file)]
    assert missing == []
