"""Other programs' MCP servers, as settings of a document."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from vega_trio.app.disk import Disk
from vega_trio.cli.failure import Failure
from vega_trio.cli.mcp_import import converted, import_servers
from vega_trio.dsl.parse import parse_document

GIVEN = {
    "GitHub Copilot": {
        "type": "stdio",
        "command": "npx",
        "args": ["-y", "server"],
        "env": {"GITHUB_TOKEN": "ghp_canary", "MODE": "r${o", "LEVEL": "${env:level-1}"},
        "alwaysAllow": ["x"],
    },
    "docs": {
        "type": "streamable-http",
        "url": "https://example.com/mcp",
        "headers": {"Authorization": "Bearer canary"},
    },
    "old": {"command": "x", "disabled": True},
    "docs!": {"command": "y"},
    "odd": "text",
}


def test_servers_are_said_in_our_words_and_secrets_stay_where_they_are() -> None:
    notes: list[str] = []
    servers = converted(GIVEN, notes)
    assert servers["GitHub-Copilot"] == {
        "command": "npx",
        "args": ["-y", "server"],
        "env": {"GITHUB_TOKEN": "${GITHUB_TOKEN}", "MODE": "r$${o", "LEVEL": "${LEVEL_1}"},
    }
    assert servers["docs"] == {
        "transport": "http",
        "url": "https://example.com/mcp",
        "headers": {"Authorization": "${DOCS_AUTHORIZATION}"},
    }
    assert servers["old"] == {"command": "x", "disabled": True}
    assert set(servers) == {"GitHub-Copilot", "docs", "old"}
    told = "\n".join(notes)
    assert "'alwaysAllow' has no counterpart" in told
    assert "set DOCS_AUTHORIZATION in the environment" in told
    assert "canary" not in told + json.dumps(servers)


def test_what_is_printed_is_valid_in_a_document(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "other.json").write_text(json.dumps({"mcpServers": GIVEN}))
    assert import_servers(str(tmp_path / "other.json")) == 0
    printed = capsys.readouterr().out
    (tmp_path / "a.vega.yaml").write_text("agents: {a: {system: x, model: demo}}\n" + printed)
    env = {"GITHUB_TOKEN": "t", "LEVEL_1": "1", "DOCS_AUTHORIZATION": "k"}
    settings = parse_document(str(tmp_path / "a.vega.yaml"), Disk(), env=env).document.settings
    servers = {each.name: each for each in settings.mcp_servers}
    assert servers["GitHub-Copilot"].env == {"GITHUB_TOKEN": "t", "MODE": "r${o", "LEVEL": "1"}
    assert servers["docs"].headers == {"Authorization": "k"}
    assert servers["old"].disabled


@pytest.mark.parametrize("text", ["{}", "[1]", "nonsense", '{"mcpServers": 5}'])
def test_what_holds_no_servers_says_so(tmp_path: Path, text: str) -> None:
    (tmp_path / "other.json").write_text(text)
    with pytest.raises(Failure, match=r"other\.json"):
        import_servers(str(tmp_path / "other.json"))
