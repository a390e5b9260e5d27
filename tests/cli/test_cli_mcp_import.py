"""Other programs' MCP servers, as settings of a document."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from vega_trio.app.disk import Disk
from vega_trio.cli.jsonc import plain_json
from vega_trio.cli.main import invoke
from vega_trio.cli.mcp_words import converted
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
    assert invoke(["mcp", "import", str(tmp_path / "other.json")]) == 0
    printed = capsys.readouterr().out
    (tmp_path / "a.vega.yaml").write_text("agents: {a: {system: x, model: demo}}\n" + printed)
    env = {"GITHUB_TOKEN": "t", "LEVEL_1": "1", "DOCS_AUTHORIZATION": "k"}
    settings = parse_document(str(tmp_path / "a.vega.yaml"), Disk(), env=env).document.settings
    servers = {each.name: each for each in settings.mcp_servers}
    assert servers["GitHub-Copilot"].env == {"GITHUB_TOKEN": "t", "MODE": "r${o", "LEVEL": "1"}
    assert servers["docs"].headers == {"Authorization": "k"}
    assert servers["old"].disabled


@pytest.mark.parametrize("begun", ["/*", '"\\\\', ",", "${a:-", "?a=b", "//"])
def test_what_never_ends_is_looked_at_once(begun: str) -> None:
    text = begun * 30_000  # looked at again from each beginning, it would take minutes
    assert plain_json(text) is not None
    assert "s" in converted({"s": {"command": text, "args": [text], "url": text}}, [])


@pytest.mark.parametrize("text", ["{}", "[1]", "nonsense", '{"mcpServers": 5}'])
def test_what_holds_no_servers_says_so(tmp_path: Path, text: str, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "other.json").write_text(text)
    assert invoke(["mcp", "import", str(tmp_path / "other.json")]) == 1
    assert "other.json" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("given", "args", "told"),
    [
        (["--api-key", "canary"], ["--api-key", "${S_API_KEY}"], "set S_API_KEY"),
        (["--token=canary", "-v"], ["--token=${S_TOKEN}", "-v"], "set S_TOKEN"),
        (["--header", "Authorization: canary"], ["--header", "Authorization: ${S_AUTHORIZATION}"], "S_AUTHORIZATION"),
        (["--token=${input:my-token}"], ["--token=${MY_TOKEN}"], ""),
        (["-e", "GITHUB_PAT=canary", "img"], ["-e", "GITHUB_PAT=${S_GITHUB_PAT}", "img"], "set S_GITHUB_PAT"),
        (["--env=API_KEY=canary"], ["--env=API_KEY=${S_API_KEY}"], "set S_API_KEY"),
        (["postgresql://bob:canary@host/db"], ["${S_URL}"], "set S_URL"),
        (["--dsn=redis://:canary@host"], ["--dsn=${S_DSN}"], "set S_DSN"),
        (["https://a.b/sse?api_key=canary&n=1"], ["https://a.b/sse?api_key=${S_API_KEY}&n=1"], "set S_API_KEY"),
        (["-c", "cd x && PGPASS=canary run"], ["-c", "cd x && PGPASS=${S_PGPASS} run"], "set S_PGPASS"),
        (["Server=a;Password=canary;"], ["Server=a;Password=${S_PASSWORD};"], "set S_PASSWORD"),
        (["--header=Cookie: canary"], ["--header=Cookie: ${S_COOKIE}"], "set S_COOKIE"),
        (["${API_KEY:-canary}", "${PORT:-80}"], ["${API_KEY}", "${PORT:-80}"], "set API_KEY"),
        (["--max-tokens", "9", "--author=me", "git+ssh://git@a.b/c"],) * 2 + ("",),
        (["postgres://u:${PW}@h", "https://a.b/@c/d?n=1"],) * 2 + ("",),
        (["${workspaceFolder}/a", "${userHome}", "${X:-y}"], ["./a", "${HOME}", "${X:-y}"], ""),
        (["https://example.com/a", "a${b", "${1}"], ["https://example.com/a", "a$${b", "$${1}"], ""),
    ],
)
def test_secrets_among_the_arguments_become_variables_too(given: list[str], args: list[str], told: str) -> None:
    notes: list[str] = []
    assert converted({"s": {"command": "x", "args": given}}, notes) == {"s": {"command": "x", "args": args}}
    assert told in "".join(notes)
    assert bool(told) == bool(notes)


@pytest.mark.parametrize(
    ("key", "text", "shown", "told"),
    [
        ("DATABASE_URL", "postgres://u:canary@h", "${DATABASE_URL}", "set DATABASE_URL"),
        ("API_KEY", "${OUR_KEY:-canary}", "${OUR_KEY}", "set OUR_KEY"),
        ("DATABASE_URL", "${DB:-postgres://u:canary@h}", "${DB}", "set DB"),
        ("AUTH", "Bearer ${X:-canary}", "Bearer ${X}", "set X"),
        ("DATABASE_URL", "postgres://u:canary@${HOST:-h}", "${DATABASE_URL}", "set DATABASE_URL"),
        ("OPENAPI_HEADERS", '{"Authorization": "Bearer canary"}', "${OPENAPI_HEADERS}", "set OPENAPI_HEADERS"),
        ("MYSQL_PWD", "canary", "${MYSQL_PWD}", "set MYSQL_PWD"),
        ("MAX_TOKENS", "4096", "4096", ""),
        ("TOKEN", "${1}", "${TOKEN}", "set TOKEN"),
    ],
)
def test_secrets_in_variables_stay_where_they_are(key: str, text: str, shown: str, told: str) -> None:
    notes: list[str] = []
    assert converted({"s": {"command": "x", "env": {key: text}}}, notes) == {"s": {"command": "x", "env": {key: shown}}}
    assert told in "".join(notes)
    assert "canary" not in "".join(notes)


def test_a_variable_stands_for_one_value_only() -> None:
    notes: list[str] = []
    headers = ["--header", "Authorization: one", "--header", "Authorization: two"]
    given = {name: {"command": "x", "env": {"API_KEY": text}} for name, text in zip("abc", "131", strict=True)}
    made = converted({**given, "d": {"command": "x", "args": headers}}, notes)
    assert [made[name]["env"]["API_KEY"] for name in "abc"] == ["${API_KEY}", "${B_API_KEY}", "${API_KEY}"]
    assert made["d"]["args"][1::2] == ["Authorization: ${D_AUTHORIZATION}", "Authorization: ${D_AUTHORIZATION_2}"]
    assert all(any(name in note for note in notes) for name in ("B_API_KEY", "D_AUTHORIZATION_2"))


def test_a_variable_that_a_server_names_stands_for_no_secret_of_another() -> None:
    literal, named = {"command": "x", "env": {"API_KEY": "canary"}}, {"command": "x", "args": ["${API_KEY}"]}
    made = converted({"a": literal, "b": named}, [])
    assert (made["a"]["env"], made["b"]["args"]) == ({"API_KEY": "${A_API_KEY}"}, ["${API_KEY}"])


def test_an_address_keeps_its_secrets_to_itself() -> None:
    notes: list[str] = []
    given = {"q": {"serverUrl": "https://a.b/mcp?api_key=canary&n=1"}, "u": {"url": "https://me:canary@a.b/mcp"}}
    assert converted(given, notes) == {
        "q": {"url": "https://a.b/mcp?api_key=${Q_API_KEY}&n=1"},
        "u": {"url": "${U_URL}"},
    }
    assert "canary" not in "".join(notes)


def test_a_dollar_that_would_become_a_variable_here_is_told() -> None:
    notes: list[str] = []
    converted({"s": {"command": "x", "env": {"PROMPT": "$USER>"}}}, notes)
    assert "PROMPT" in notes[0]


EDITORS = """{ // what an editor allows
  "mcp": {"servers": {
    "time": {"command": "uvx", "args": ["mcp-server-time", "// no comment"], /* and this */ },
    "clash": {"command": "theirs"},
  }},
}"""
DOCUMENT = """\
# mine
agents: {a: {system: x, model: demo}}
settings:
  mcp:
    servers: # all
      - {name: clash, command: ours}
"""


@pytest.fixture
def files(tmp_path: Path) -> Path:
    (tmp_path / "settings.json").write_text(EDITORS)
    (tmp_path / "a.vega.yaml").write_text(DOCUMENT)
    return tmp_path


def imported(files: Path, *more: str) -> int:
    document = str(files / "a.vega.yaml")
    return invoke(["mcp", "import", str(files / "settings.json"), "--into", document, "--home", str(files), *more])


def test_a_document_gets_the_servers_whose_names_it_does_not_have(
    files: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert imported(files, "--yes", "--json") == 0
    said = capsys.readouterr()
    assert json.loads(said.out) == {"file": str(files / "a.vega.yaml"), "added": ["time"], "left_out": ["clash"]}
    assert "'clash' already" in said.err
    added = '      - name: time\n        command: uvx\n        args: ["mcp-server-time", "// no comment"]\n'
    assert (files / "a.vega.yaml").read_text() == DOCUMENT + added


def test_nothing_is_written_without_a_yes_to_what_would_be_run(files: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert imported(files) == 2
    said = capsys.readouterr().err
    assert "time: uvx mcp-server-time // no comment" in said
    assert "--yes" in said
    assert (files / "a.vega.yaml").read_text() == DOCUMENT


def test_the_question_shows_all_that_decides_what_runs(files: Path, capsys: pytest.CaptureFixture[str]) -> None:
    env = {"PATH": "/evil", "NODE_OPTIONS": "--require\n/evil.js\u202e", "API_KEY": "canary"}
    far = {"url": "https://a.b/mcp", "headers": {"X-Team": "red", "Cookie": "canary"}}
    near = {"command": "npx", "args": ["srv"], "cwd": "/evil", "env": env, "disabled": True}
    (files / "settings.json").write_text(json.dumps({"mcpServers": {"near": near, "far": far}}))
    assert imported(files) == 2
    said = capsys.readouterr().err
    shown = "near: npx srv\n    in /evil\n    PATH=/evil\n    NODE_OPTIONS=--require /evil.js\\u202e\n"
    assert f"{shown}    API_KEY=${{API_KEY}}\n    disabled\n" in said
    assert "far: https://a.b/mcp\n    header X-Team\n    header Cookie\n" in said
    assert "canary" not in said


def test_a_document_that_is_not_valid_stays_as_it_is(files: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (files / "a.vega.yaml").write_text("agents: 5\n")
    assert imported(files, "--yes") == 2
    assert "V005" in capsys.readouterr().err
    assert (files / "a.vega.yaml").read_text() == "agents: 5\n"
