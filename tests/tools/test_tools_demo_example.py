"""The example document of tools runs on the demo model, with every kind of tool it shows."""

from __future__ import annotations

import os
import shutil
from pathlib import Path
from typing import Any

import pytest
import trio

import vega_trio as vega
from vega_trio.app.disk import Disk
from vega_trio.dsl.parse import parse_document
from vega_trio.tools.defined import defined_tool

pytestmark = pytest.mark.e2e

EXAMPLE = Path(__file__).parents[2] / "examples" / "tools-demo.vega.yaml"


async def test_the_example_counts_keeps_reads_and_survives_a_service_that_is_down(tmp_path: Path) -> None:
    shutil.copy(EXAMPLE, tmp_path)
    with trio.fail_after(30):
        async with vega.open_app(tmp_path / EXAMPLE.name, model="demo", env={}, home=tmp_path) as app:
            run = await app.run_workflow("demo", {"text": "four words of mine"})
            result = str(await run.wait())
    assert "`word_count` answered: 4" in result
    assert "# words\n\n4 words were counted" in result
    assert "`fetch_status` " in result  # it worked if a server happens to run there
    assert os.listdir(tmp_path / "workspace" / "notes") == ["words.md"]


async def test_a_text_full_of_shell_is_only_counted(tmp_path: Path, call: Any) -> None:
    document = parse_document(str(EXAMPLE), Disk(), env={}).document
    count = defined_tool(document.tools["word_count"], sandbox=tmp_path)
    for text in ("$(touch x) `touch x`; touch x", "' ; touch x ; '", '" && touch x && "', "%s%n %d"):
        with trio.fail_after(5):
            assert (await call(count, text=text)).strip() == str(len(text.split()))
    assert os.listdir(tmp_path) == []
