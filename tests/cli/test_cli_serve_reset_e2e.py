"""`POST /api/reset` at `vega serve`: all is empty afterwards, at the same address, and nobody is turned away."""

from __future__ import annotations

import json
import subprocess
import sys
import threading
import urllib.error
import urllib.request
from typing import Any

import pytest
from cli_shell import Shell

from vega_trio.cli.main import invoke

pytestmark = pytest.mark.e2e


def asked(url: str, body: object = None) -> Any:
    data = None if body is None else json.dumps(body).encode()
    request = urllib.request.Request(url, data, {"content-type": "application/json"})
    with urllib.request.urlopen(request, timeout=30) as answer:
        return json.load(answer)


def test_a_reset_empties_the_database_and_the_server_goes_on(vega: Shell, capsys: pytest.CaptureFixture[str]) -> None:
    command = [sys.executable, "-m", "vega_trio", "serve", "--addr", ":0", "--db", "v.db"]
    with subprocess.Popen(command, cwd=vega.cwd, env=vega.env(), stderr=subprocess.PIPE, text=True) as server:
        guard = threading.Timer(120, server.kill)
        guard.start()
        try:
            assert server.stderr is not None
            url = next(line for line in server.stderr if "Dashboard: " in line).split("Dashboard: ")[1].strip()
            asked(f"{url}/api/agents/writer/chat", {"message": "yes or no"})
            asked(f"{url}/api/agents", {"name": "made", "system": "You were made.", "model": "demo"})
            asked(f"{url}/api/workflows/write/run", {"inputs": {"task": "slow"}})  # which nobody waits for
            last = int(asked(f"{url}/api/events/log?limit=1")[0]["id"])
            document = vega.cwd / "team.vega.yaml"
            valid = document.read_text()
            document.write_text("agents: 3")
            with pytest.raises(urllib.error.HTTPError, match="422"):
                asked(f"{url}/api/reset", {"confirm": "reset"})
            document.write_text(valid)
            assert asked(f"{url}/api/sessions") != []  # nothing was deleted
            with urllib.request.urlopen(f"{url}/api/events", timeout=30) as listening:
                assert invoke(["reset", "--yes", "--url", url, "--home", str(vega.cwd)]) == 0
                assert capsys.readouterr().out == f"{url}: resetting\n"
                assert b"server.stopping" in listening.read()
            assert asked(f"{url}/api/sessions") == []  # waits, and is not refused
            assert asked(f"{url}/api/runs") == []
            assert asked(f"{url}/api/stats")["total_processes"] == 0
            assert "made" not in {each["name"] for each in asked(f"{url}/api/agents")}
            asked(f"{url}/api/agents/writer/chat", {"message": "yes or no"})
            assert int(asked(f"{url}/api/events/log?limit=1")[0]["id"]) < last
            server.terminate()
            assert server.wait(30) == 0
        finally:
            guard.cancel()
            server.kill()
