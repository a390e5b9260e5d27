"""Commands that ask a running server: a real server with a token, real sockets."""

from __future__ import annotations

import io
import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from cli_shell import Shell

from vega_trio.cli.main import invoke
from vega_trio.cli.remote import Remote

pytestmark = pytest.mark.e2e


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Shell:
    return Shell(tmp_path_factory.mktemp("served"))


@pytest.fixture(scope="module")
def url(home: Shell) -> Iterator[str]:
    """The address of a server with the demo model and one finished conversation."""
    server = subprocess.Popen(
        [sys.executable, "-m", "vega_trio", "serve", "--demo", "--addr", ":0", "--token", "--db", "v.db"],
        cwd=home.cwd,
        env=home.env(),
        stdin=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
    )
    assert server.stderr is not None
    try:
        line = next(line for line in server.stderr if b"Dashboard: " in line).decode()
        address, code = line.split("Dashboard: ")[1].strip().split("/login?code=")
        assert len(code) >= 43
        token = home.read("home/token").strip()
        Remote(base=address, token=token).post("/api/agents/assistant/chat", {"message": "hello"})
        yield address
    finally:
        server.terminate()
        assert server.wait(30) == 0
        server.stderr.close()


@pytest.fixture
def vega(home: Shell, url: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> object:
    """`vega(ARG, ..)` calls the command line here; gives its exit code, stdout and stderr."""
    for name, value in (*home.env(VEGA_URL=url).items(), ("VEGA_TOKEN", "")):
        monkeypatch.setenv(name, value)
    monkeypatch.chdir(home.cwd)
    monkeypatch.setattr(sys, "stdin", io.StringIO())

    def call(*args: str) -> tuple[int, str, str]:
        code = invoke(args)
        out, err = capsys.readouterr()
        return code, out, err

    return call


def process_of(vega: object) -> str:
    code, out, _ = vega("ps", "--json")  # type: ignore[operator]
    assert code == 0
    return str(json.loads(out.splitlines()[0])["id"])


def test_processes_are_listed_in_columns_and_as_json(vega) -> None:
    code, out, _ = vega("ps")
    assert code == 0
    assert out.startswith("ID")
    assert "assistant" in out
    assert vega("ps", "--status", "failed")[1].splitlines()[1:] == []
    assert json.loads(vega("ps", "--all", "--agent", "assistant", "--json")[1])["agent"] == "assistant"


def test_the_tree_shows_incarnations_and_restarts(vega) -> None:
    process = process_of(vega)
    spawned, supervised = vega("tree")[1], vega("tree", "--supervisors")[1]
    assert f"assistant  {process}  running  #1  restarts 0/3" in spawned
    assert supervised.splitlines()[0] == "root  one_for_one"
    assert f"`- assistant  {process}  running  #1  transient  restarts 0/3" in supervised
    assert json.loads(vega("tree", "--json")[1])[0]["process_id"] == process


def test_events_and_logs_are_printed_oldest_first(vega) -> None:
    lines = vega("events", "--type", "turn.*")[1].splitlines()
    assert [line.split("  ")[2] for line in lines] == ["turn.started", "turn.finished"]
    rows = [json.loads(line) for line in vega("events", "-n", "500", "--json")[1].splitlines()]
    assert [row["id"] for row in rows] == sorted(row["id"] for row in rows)
    assert "turn.finished" in vega("logs", process_of(vega))[1]
    assert vega("logs", "nosuch")[0] == 1


def test_a_process_is_inspected_and_its_costs_shown(vega) -> None:
    process = process_of(vega)
    assert json.loads(vega("inspect", process, "--json")[1])["mailbox"]["capacity"] == 64
    assert "incarnations:" in vega("inspect", process)[1]
    assert "total $" in vega("costs", "--by", "model")[1]
    assert json.loads(vega("costs", "--json")[1])["rows"][0]["key"] == "assistant"
    assert "running 1 of 1" in vega("top")[1]
    assert vega("stop", process)[1] == f"{process}: idle\n"


def test_killing_and_restarting_need_a_yes(vega) -> None:
    process = process_of(vega)
    code, out, err = vega("restart", process)
    assert (code, out, "--yes" in err) == (2, "", True)
    answer = json.loads(vega("restart", process, "--yes", "--json")[1])
    assert answer == {"status": "restarting", "id": process, "dies": [], "restarts": [process], "notified": []}
    while "#2" not in vega("tree")[1]:
        pass
    assert vega("kill", process, "--yes")[1] == f"{process}: killed\n"
    assert vega("restart", process, "--yes")[0] == 1
    assert vega("kill", "nosuch", "--yes")[0] == 1


def test_tokens_are_made_through_the_server_that_holds_the_database(vega, url: str) -> None:
    made = json.loads(vega("token", "add", "ann", "--role", "viewer", "--db", "v.db", "--json")[1])
    assert Remote(base=url, token=made["token"]).get("/api/auth/me")["role"] == "viewer"
    assert "ann" in vega("token", "list", "--db", "v.db")[1]
    assert vega("token", "revoke", made["id"], "--db", "v.db")[0] == 0
    assert vega("token", "revoke", made["id"], "--db", "v.db")[0] == 1


def test_tokens_are_made_in_a_database_that_nobody_has_open(vega, tmp_path: Path) -> None:
    path = str(tmp_path / "other.db")
    secret = vega("token", "add", "bob", "--db", path)[1].strip()
    assert len(secret) >= 43
    [row] = [json.loads(line) for line in vega("token", "list", "--db", path, "--json")[1].splitlines()]
    assert (row["user"], row["role"], "token" in row) == ("bob", "owner", False)
    assert vega("token", "revoke", row["id"], "--db", path)[0] == 0
    assert vega("token", "list", "--db", path, "--json")[1] == ""


@pytest.mark.parametrize(
    "args", [("ps",), ("tree",), ("top",), ("events", "-f"), ("logs",), ("inspect", "x"), ("stop", "x"), ("costs",),
             ("kill", "x", "--yes"), ("restart", "x", "--yes")],
)  # fmt: skip
def test_without_a_server_the_exit_code_is_6(vega, args: tuple[str, ...]) -> None:
    code, out, err = vega(*args, "--url", "http://127.0.0.1:1")
    assert (code, out) == (6, "")
    assert "vega serve" in err


def test_an_mcp_server_is_added_at_the_server_that_is_named(vega, url: str) -> None:
    code, out, err = vega("mcp", "add", "here", "--url", url, "--json", "--", "true")
    assert (code, out) == (1, "")
    assert "--allow-mcp-commands" in err
    assert vega("mcp", "add", "there", "http://127.0.0.1:9/mcp", "--url", url, "-e", "NOT_SET")[0] == 2
    code, out, _ = vega("mcp", "add", "there", "http://127.0.0.1:9/mcp", "--url", url, "-H", "X-Key: k")
    assert (code, out) == (0, f"there: added at {url}, not connected\n")
