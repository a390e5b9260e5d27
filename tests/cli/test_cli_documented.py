"""docs/cli.md has every command and every word of the REPL. Options are in the reference that is made of the code."""

from __future__ import annotations

from pathlib import Path

import click
import pytest
from site_reference import commands

from vega_trio.cli.repl_words import WORDS

PAGE = (Path(__file__).parents[2] / "docs" / "cli.md").read_text()


@pytest.mark.parametrize("path", [path for path, command in commands() if not isinstance(command, click.Group)])
def test_the_command_is_documented(path: str) -> None:
    assert f"`{path}" in PAGE.split("## Which command")[1].split("\n## ")[0]


def test_every_word_of_the_repl_is_documented() -> None:
    section = PAGE.split("## In the REPL")[1].split("\n## ")[0]
    assert [word for word in WORDS if f"/{word}" not in section] == []
