"""`vega serve` as a process: its address, its database, its signals."""

from __future__ import annotations

import json
import re
import signal
import socket
import sqlite3
import subprocess
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from cli_shell import Shell

pytestmark = pytest.mark.e2e


@contextmanager
def serving(vega: Shell, *args: str, **env: str) -> Iterator[tuple[subprocess.Popen[bytes], str, str]]:
    """(process, address, what it said until then) of a server that is ready."""
    process = vega.start("serve", *args, **env)
    try:
        assert process.stderr is not None
        said = ""
        for line in process.stderr:
            said += line.decode()
            if found := re.search(r"^Dashboard: (http://\S+)$", said, re.MULTILINE):
                yield process, found[1], said
                return
        raise AssertionError(f"the server ended with {process.wait()}: {said}")
    finally:
        process.kill()
        process.communicate()


def get(url: str) -> object:
    with urllib.request.urlopen(url, timeout=30) as answer:
        return json.load(answer)


def test_the_demo_serves_the_built_in_agent_and_leaves_nothing_behind(vega: Shell) -> None:
    (vega.cwd / "team.vega.yaml").unlink()
    with serving(vega, "--demo", "--addr", ":0") as (process, url, said):
        assert re.fullmatch(r"http://localhost:[1-9]\d*", url)
        assert "1 agent, 1 workflow" in said
        agents = get(f"{url}/api/agents")
        assert isinstance(agents, list)
        assert "assistant" in [agent["name"] for agent in agents]
        process.send_signal(signal.SIGTERM)
        out, err = process.communicate(timeout=30)
        assert (process.returncode, out) == (0, b""), err
        assert b"Traceback" not in err
    assert not list(vega.cwd.glob("*.db*"))


def test_the_built_in_document_without_a_key_says_which_model_answers(vega: Shell) -> None:
    (vega.cwd / "team.vega.yaml").unlink()
    with serving(vega, "--addr", ":0") as (process, _, said):
        assert "ANTHROPIC_API_KEY" in said
        process.send_signal(signal.SIGINT)
        process.communicate(timeout=30)
        assert process.returncode == 0
    assert (vega.cwd / ".vega-serve.db").exists()


def test_address_and_database_come_from_the_environment_below_the_flags(vega: Shell) -> None:
    vega.write("home/config.yaml", "addr: 'nonsense'\ndb: config.db\n")
    with serving(vega, "team.vega.yaml", VEGA_ADDR="127.0.0.1:0") as (_, _, said):
        assert said.startswith("team.vega.yaml: 1 agent, 2 workflows, 0 tools\n")
    assert (vega.cwd / "config.db").exists()
    with serving(vega, "--addr", ":0", "--db", "flag.db", VEGA_DB="env.db", VEGA_ADDR="nonsense"):
        pass
    assert (vega.cwd / "flag.db").exists()
    assert not (vega.cwd / "env.db").exists()


def run(vega: Shell, *args: str) -> tuple[int, str]:
    """(exit code, what it said)."""
    process = vega.start(*args)
    _, said = process.communicate(timeout=60)
    return process.returncode, said.decode()


def test_a_taken_port_is_exit_1_with_one_clear_line(vega: Shell) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        code, said = run(vega, "serve", "--demo", "-q", "--addr", f":{port}")
    assert code == 1
    assert len(said.splitlines()) == 1
    assert said.startswith(f"error: the address 127.0.0.1:{port} is taken")


def test_a_database_that_is_open_elsewhere_is_exit_1(vega: Shell) -> None:
    with serving(vega, "--addr", ":0", "--db", "team.db"):
        code, said = run(vega, "serve", "--addr", ":0", "--db", "team.db")
    assert code == 1
    assert "team.db" in said
    assert "hint: " in said


def test_a_newer_database_is_refused_and_left_alone(vega: Shell) -> None:
    path = vega.cwd / "new.db"
    with sqlite3.connect(path) as db:
        db.execute("PRAGMA user_version = 999999")
        db.execute("CREATE TABLE theirs (x)")
    db.close()
    before = path.read_bytes()
    code, said = run(vega, "serve", "--addr", ":0", "--db", "new.db")
    assert code == 1
    assert "new.db" in said
    assert path.read_bytes() == before


def test_ctrl_c_cancels_a_run_with_130(vega: Shell) -> None:
    process = vega.start("run", "--workflow", "write", "--task", "slow")
    assert process.stderr is not None
    said = b""
    while b"[write/0]" not in said:
        said += process.stderr.read1()
    process.send_signal(signal.SIGINT)
    out, rest = process.communicate(timeout=30)
    assert (process.returncode, out) == (130, b"")
    assert (said + rest).decode().splitlines()[-1].startswith("write: cancelled in ")
