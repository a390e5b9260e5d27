"""`vega mcp add`: one server more in a document, or at a server."""

from __future__ import annotations

import json
import stat
from pathlib import Path

import pytest

from vega_trio.cli.main import invoke

DOCUMENT = """\
# the team
agents:
  a:   {system: x, model: demo}   # its columns are its own

settings:
    sandbox: ./ws   # and its indentation
# the end
"""


@pytest.fixture
def document(tmp_path: Path) -> Path:
    path = tmp_path / "a.vega.yaml"
    path.write_text(DOCUMENT)
    return path


def add(document: Path, *args: str) -> int:
    return invoke(["mcp", "add", "-f", str(document), "--home", str(document.parent), *args])


def test_a_command_is_added_and_every_other_character_stays(document: Path, capsys: pytest.CaptureFixture[str]) -> None:
    document.chmod(0o640)
    assert add(document, "time", "--json", "--", "uvx", "mcp-server-time", "-v") == 0
    assert json.loads(capsys.readouterr().out) == {"name": "time", "file": str(document)}
    added = (
        "    mcp:\n      servers:\n        - name: time\n          command: uvx\n"
        '          args: ["mcp-server-time", "-v"]\n'
    )
    assert document.read_text() == DOCUMENT.replace("# the end\n", added + "# the end\n")
    assert stat.S_IMODE(document.stat().st_mode) == 0o640
    assert [each.name for each in document.parent.iterdir()] == ["a.vega.yaml"]


def test_an_address_and_a_server_of_the_registry_follow_in_the_same_list(document: Path) -> None:
    assert (
        add(document, "docs", "https://example.com/mcp", "-H", "Authorization: Bearer ${DOCS}", "--timeout", "5") == 0
    )
    assert add(document, "filesystem", "--arg", "/data", "-e", "MODE=ro", "-e", "LEVEL") == 0
    text = document.read_text()
    assert 'url: "https://example.com/mcp"' in text
    assert 'Authorization: "Bearer ${DOCS}"' in text
    assert 'args: ["/data"]\n          env:\n            MODE: ro\n            LEVEL: "${LEVEL}"' in text
    assert text.count("servers:") == 1
    assert invoke(["validate", str(document), "--home", str(document.parent)]) == 0


@pytest.mark.parametrize(
    ("args", "told"),
    [
        (["x", "run", "-e", "API_KEY=canary"], "vega keys set API_KEY"),
        (["x", "https://e.com", "-H", "Authorization: Bearer canary"], "vega keys set X_AUTHORIZATION"),
        (["x", "https://e.com", "-H", "Authorization"], "has no text"),
        (["x", "https://bob:canary@e.com/mcp"], "vega keys set X_URL"),
        (["x", "https://e.com/mcp?api_key=canary"], "vega keys set X_API_KEY"),
        (["x", "--", "npx", "srv", "--api-key=canary"], "vega keys set X_API_KEY"),
        (["x", "--", "docker", "run", "-e", "GITHUB_PAT=canary"], "vega keys set X_GITHUB_PAT"),
        (["x", "run", "-e", "DATABASE_URL=postgres://u:canary@h"], "vega keys set DATABASE_URL"),
        (["x", "run", "-e", "API_KEY=${KEY:-canary}"], "vega keys set KEY"),
        (["filesistem"], "filesystem"),
        (["a__b", "run"], "a__b"),
        (["x", "run", "--transport", "carrier"], "carrier"),
        (["x", "run", "--timeout", "nan"], "--timeout nan"),
        (["x", "run", "--timeout", "1e300"], "ten years"),
        (["x", "run", "--timeout", "0.00001"], "from 0.001"),
    ],
)
def test_what_cannot_be_is_refused_and_nothing_is_written(
    document: Path, args: list[str], told: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert add(document, *args) == 2
    said = capsys.readouterr()
    assert told in said.err
    assert "canary" not in said.err + said.out
    assert document.read_text() == DOCUMENT


@pytest.mark.parametrize(("seconds", "written"), [("1000000", "11d13h46m40s"), ("0.25", "250ms"), ("5", "5s")])
def test_a_timeout_is_written_as_documents_have_it(document: Path, seconds: str, written: str) -> None:
    assert add(document, "time", "--timeout", seconds, "--", "uvx") == 0
    assert f"timeout: {written}\n" in document.read_text()


def test_a_name_is_added_once_only(document: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert add(document, "time", "uvx") == 0
    before = document.read_text()
    assert add(document, "time", "other") == 1
    assert "already" in capsys.readouterr().err
    assert document.read_text() == before


def test_a_link_to_the_document_stays_a_link(document: Path) -> None:
    link = document.with_name("link.vega.yaml")
    link.symlink_to(document)
    assert add(link, "time", "uvx") == 0
    assert link.is_symlink()
    assert "name: time" in document.read_text()
