from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from cli_shell import DOCUMENT, Program, Shell, warm_program


@pytest.fixture
def vega(tmp_path: Path) -> Shell:
    """A directory with one document, and nothing else."""
    shell = Shell(tmp_path)
    shell.write("team.vega.yaml", DOCUMENT)
    return shell


@pytest.fixture(scope="session")
def program() -> Iterator[Program]:
    """Makes the calls of `make_calls`."""
    with warm_program() as program:
        yield program
