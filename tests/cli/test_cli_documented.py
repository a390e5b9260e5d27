"""docs/cli.md has every command, every option and every word of the REPL."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import click
import pytest

from vega_trio.cli.main import root
from vega_trio.cli.repl_words import WORDS

PAGE = (Path(__file__).parents[2] / "docs" / "cli.md").read_text()


def commands(command: click.Command, path: str) -> Iterator[tuple[str, click.Command]]:
    yield path, command
    if isinstance(command, click.Group):
        context = click.Context(command)
        for name in command.list_commands(context):
            found = command.get_command(context, name)
            assert found is not None
            yield from commands(found, f"{path} {name}")


@pytest.mark.parametrize(("path", "command"), list(commands(root(), "vega")))
def test_the_command_is_documented_with_its_options(path: str, command: click.Command) -> None:
    assert path == "vega" or f"### `{path}" in PAGE
    section = PAGE if path == "vega" else PAGE.split(f"### `{path}")[1].split("\n### ")[0]
    everywhere = PAGE.split("## Options of every command")[1].split("\n## ")[0]
    options = [name for each in command.params if isinstance(each, click.Option) for name in each.opts]
    assert [name for name in options if name not in section and name not in everywhere] == []


def test_every_word_of_the_repl_is_documented() -> None:
    section = PAGE.split("## In the REPL")[1].split("\n## ")[0]
    assert [word for word in WORDS if f"/{word}" not in section] == []
