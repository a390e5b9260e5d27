from __future__ import annotations

from pathlib import Path

import pytest
from cli_shell import DOCUMENT, Shell


@pytest.fixture
def vega(tmp_path: Path) -> Shell:
    """A directory with one document, and nothing else."""
    shell = Shell(tmp_path)
    shell.write("team.vega.yaml", DOCUMENT)
    return shell
