"""Every Python snippet of the README and the documentation runs as it stands, and what they link to is there."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

from vega_trio.app.disk import Disk
from vega_trio.dsl.parse import parse_text

ROOT = Path(__file__).parent.parent
LINK = re.compile(r"\]\((?!https?:|#)([^)#]+)")
SNIPPET = re.compile(r"^```python\n(.*?)^```", re.MULTILINE | re.DOTALL)


def snippets() -> list[tuple[str, str]]:
    pages = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]
    return [(f"{page.name}:{n}", code) for page in pages for n, code in enumerate(SNIPPET.findall(page.read_text()))]


@pytest.mark.e2e
@pytest.mark.parametrize(("name", "code"), snippets(), ids=[name for name, _ in snippets()])
def test_the_snippet_runs(name: str, code: str, tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", code],
        cwd=tmp_path,
        env={"PYTHONPATH": str(ROOT), "HOME": str(tmp_path)},
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert done.returncode == 0, done.stderr
    for printed in re.findall(r"print\(.*?\)  # (.+)", code):
        assert printed.partition("... ")[2] in done.stdout if "..." in printed else printed in done.stdout


def test_every_link_within_the_project_leads_somewhere() -> None:
    for page in (ROOT / "README.md", *(ROOT / "docs").rglob("*.md")):
        assert [link for link in LINK.findall(page.read_text()) if not (page.parent / link).exists()] == [], page


def test_the_document_in_the_readme_is_valid(tmp_path: Path) -> None:
    (text,) = re.findall(r"^```yaml\n(.*?)^```", (ROOT / "README.md").read_text(), re.MULTILINE | re.DOTALL)
    parsed = parse_text(text.encode(), "team.vega.yaml", Disk(), env={})
    assert (list(parsed.document.agents), parsed.warnings) == (["Writer", "Critic"], ())
