"""Approvals on the command line: denied where nobody can be asked, asked on a terminal, answered on a server."""

from __future__ import annotations

import json
import subprocess
import sys
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from cli_shell import Done, Shell
from person import at_terminal

from vega_trio.cli.asking import question, visible
from vega_trio.cli.main import invoke
from vega_trio.cli.remote import Remote
from vega_trio.events import ApprovalRequested

pytestmark = pytest.mark.e2e

DOCUMENT = """\
tools:
  publish:
    description: Publishes a page.
    params: {page: {type: string, required: true}}
    implementation: {type: file_write, path: "{{page}}.txt", content: published}
    approval: always
agents:
  clerk:
    model: demo
    system: You work.
    tools: [publish]
workflows:
  go:
    steps:
      - clerk: Use publish with page="news"
"""


@pytest.fixture
def clerk(vega: Shell) -> Shell:
    vega.write("team.vega.yaml", DOCUMENT)
    return vega


def run(vega: Shell, *args: str) -> Done:
    process = vega.start(*args)
    out, err = process.communicate(timeout=60)
    return Done(process.returncode, out.decode(), err.decode())


@pytest.mark.parametrize("command", [("run",), ("chat", "-p", 'Use publish with page="news"')])
def test_without_a_terminal_a_call_is_denied_at_once_with_the_option_that_allows_it(
    clerk: Shell, command: tuple[str, ...]
) -> None:
    done = run(clerk, *command)
    assert done.code == 0
    assert "--approve TOOL" in done.err
    assert "denied" in done.out
    assert not (clerk.cwd / "workspace" / "news.txt").exists()


@pytest.mark.parametrize("command", [("run",), ("chat", "-p", 'Use publish with page="news"')])
def test_a_tool_approved_in_advance_is_called(clerk: Shell, command: tuple[str, ...]) -> None:
    done = run(clerk, *command, "--approve", "publish")
    assert (done.code, "denied" in done.out) == (0, False)
    assert clerk.read("workspace/news.txt") == "published"


@pytest.mark.parametrize(("answer", "called"), [("y\n", True), ("\n", False)])
def test_a_person_at_the_terminal_is_shown_the_call_and_asked(clerk: Shell, answer: str, called: bool) -> None:
    with at_terminal(clerk, "run", "--no-color") as person:
        person.wait_for("clerk asks to call publish with")
        person.wait_for('"page": "news"')
        person.wait_for("allow it? [y/N] ")
        person.type(answer)
        person.wait_for("go: completed")
    assert (clerk.cwd / "workspace" / "news.txt").exists() is called


def test_a_conversation_asks_between_its_lines(clerk: Shell) -> None:
    with at_terminal(clerk, "chat", "--no-color") as person:
        person.wait_for("[clerk]> ")
        person.type('Use publish with page="news"\n')
        person.wait_for("allow it? [y/N] ")
        person.type("yes\n")
        person.wait_for("answered")
        person.wait_for("[clerk]> ")
        person.type("/quit\n")
    assert clerk.read("workspace/news.txt") == "published"


@contextmanager
def served(vega: Shell) -> Iterator[str]:
    server = subprocess.Popen(
        [sys.executable, "-m", "vega_trio", "serve", "--addr", ":0", "--db", "v.db"],
        cwd=vega.cwd,
        env=vega.env(),
        stdin=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
    )
    assert server.stderr is not None
    try:
        for line in server.stderr:
            if b"Dashboard: " in line:
                yield line.decode().split("Dashboard: ")[1].strip()
                break
    finally:
        server.terminate()
        server.wait(30)
        server.stderr.close()


def test_requests_of_a_server_are_listed_and_answered(clerk: Shell, capsys: pytest.CaptureFixture[str]) -> None:
    def vega(*args: str) -> Done:
        code = invoke([*args, "--home", str(clerk.cwd / "home")])
        shown = capsys.readouterr()
        return Done(code, shown.out, shown.err)

    with served(clerk) as url:
        remote = Remote(base=url)
        assert vega("approvals", "--url", url).out == ""
        for word, status in (("approve", "approved"), ("deny", "denied")):
            with urllib.request.urlopen(f"{url}/api/events?types=approval.requested", timeout=30) as events:
                assert events.readline() == b": connected\n"
                remote.post("/api/workflows/go/run", {"inputs": {}})
                assert any(line == b"event: approval.requested\n" for line in events)
            request = json.loads(vega("approvals", "--url", url, "--json").out)
            assert (request["tool_name"], request["arguments"]) == ("publish", {"page": "news"})
            assert f"{request['id']}  pending  clerk: publish" in vega("approvals", "--url", url).out
            done = vega(word, request["id"], "--url", url)
            assert (done.code, done.out) == (0, f"{request['id']}: {status}\n")
            again = vega("deny", request["id"], "--url", url)
            assert (again.code, "already" in again.err) == (1, True)
        assert vega("approvals", "--url", url, "--status", "all").out.count("clerk: publish") == 2


def test_what_a_person_reads_hides_nothing() -> None:
    asked = ApprovalRequested(
        agent="clerk\x1b[2K", tool_name="rm", arguments={"path": "a\u202etxt.exe\x1b]0;x\x07"}, reason="always"
    )
    text = question(asked)
    assert "\x1b" not in text
    assert "\u202e" not in text
    assert "\\u202e" in text
    assert visible("plain é 漢\n") == "plain é 漢\n"
