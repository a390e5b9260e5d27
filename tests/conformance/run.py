"""Runs the official MCP conformance suite against client and server: `make conform`.

Fails when a scenario does that is not in `EXPECTED`, when one of those passes, and when there are too few: the suite
calls a client that does nothing "0/0 passed".
"""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import tempfile
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path

HERE = Path(__file__).parent
sys.path.insert(0, str(HERE.parent / "mcp"))
import peers  # noqa: E402

SERVER_SCENARIOS = 32
CLIENT_SCENARIOS = 26
AT_ONCE = 2  # clients, each of which starts a Python

EXPECTED = {
    "auth-2025-03-26-oauth-metadata-backcompat",  # the SDK refuses metadata of another issuer, as later revisions ask
    "auth-cross-app-access-complete-flow",  # tokens of an enterprise's identity provider are not exchanged
    # Agents and workflows are tools that answer in text: there are no resources, prompts, completions or logs, and
    # nothing is asked of the client.
    "completion-complete",
    "elicitation-sep1034-defaults",
    "elicitation-sep1330-enums",
    "json-schema-2020-12",
    "logging-set-level",
    "prompts-get-embedded-resource",
    "prompts-get-simple",
    "prompts-get-with-args",
    "prompts-get-with-image",
    "prompts-list",
    "resources-list",
    "resources-read-binary",
    "resources-read-text",
    "resources-subscribe",
    "resources-templates-read",
    "resources-unsubscribe",
    "server-sse-polling",  # an answer is not taken up again on another connection
    "tools-call-audio",
    "tools-call-elicitation",
    "tools-call-embedded-resource",
    "tools-call-image",
    "tools-call-mixed-content",
    "tools-call-sampling",
    "tools-call-with-logging",
}


def checks(folder: Path) -> dict[str, bool]:
    """By scenario, whether none of its checks failed and at least one passed."""
    found = {}
    for path in folder.rglob("checks.json"):
        folder_name = path.parent.relative_to(folder).as_posix().replace("/", "-")
        name = re.sub(r"^(server|client)-|-\d{4}-\d\d-\d\dT.*$", "", folder_name)
        statuses = [check["status"] for check in json.loads(path.read_text())]
        found[name] = "FAILURE" not in statuses and "SUCCESS" in statuses
    return found


def serve(home: Path) -> tuple[subprocess.Popen[str], str]:
    document = home / "server.vega.yaml"
    document.write_text((HERE / "server.vega.yaml").read_text())
    command = [sys.executable, "-m", "vega_trio", "serve", str(document), "--addr", ":0", "--db", str(home / "x.db")]
    env = {**os.environ, "VEGA_HOME": str(home)}
    server = subprocess.Popen(command, stderr=subprocess.PIPE, text=True, cwd=home, env=env)
    assert server.stderr is not None
    for line in server.stderr:
        if line.startswith("Dashboard: "):
            return server, line.split()[1].replace("localhost", "127.0.0.1") + "/mcp"
    raise RuntimeError("the server did not start")


def run_server(home: Path) -> dict[str, bool]:
    server, url = serve(home)
    try:
        command = peers.conformance("server", "--url", url, "--suite", "all", "-o", str(home / "out"))
        subprocess.run(command, cwd=home, timeout=300, stdout=subprocess.DEVNULL)
    finally:
        server.terminate()
        server.wait()
    return checks(home / "out")


def client_scenarios() -> list[str]:
    """Those that the suite lists."""
    listed = subprocess.run(peers.conformance("list", "--client"), capture_output=True, text=True, check=True).stdout
    return re.findall(r"^  - (\S+)", listed.partition("Client scenarios")[2], re.MULTILINE)


def run_client(home: Path) -> dict[str, bool]:
    found: dict[str, bool] = {}
    with ThreadPoolExecutor(AT_ONCE) as pool:
        for checked in pool.map(partial(run_scenario, home), client_scenarios()):
            found |= checked
    return found


def run_scenario(home: Path, scenario: str) -> dict[str, bool]:
    out = home / scenario.replace("/", "-")
    program = f"{sys.executable} {HERE / 'client.py'}"
    command = peers.conformance("client", "--command", program, "--scenario", scenario, "-o", str(out))
    command += ["--timeout", "60000"]
    subprocess.run(command, cwd=home, timeout=120, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    return {scenario.replace("/", "-"): set(checks(out).values()) == {True}}


def main() -> int:
    peers.install()
    with tempfile.TemporaryDirectory(prefix="conformance-") as folder:
        home = Path(folder)
        (home / "client").mkdir()
        server, client = run_server(home), run_client(home / "client")
    for name, passed in sorted({**server, **client}.items()):
        sys.stdout.write(f"{'passed' if passed else 'FAILED' if name not in EXPECTED else 'not offered'}\t{name}\n")
    wrong = [name for name, passed in {**server, **client}.items() if passed == (name in EXPECTED)]
    sys.stdout.write(
        f"server: {sum(server.values())} of {len(server)} scenarios passed; "
        f"client: {sum(client.values())} of {len(client)}\n"
    )
    if (len(server), len(client)) != (SERVER_SCENARIOS, CLIENT_SCENARIOS):
        sys.stdout.write("the suite did not run all scenarios\n")
        return 1
    if wrong:
        sys.stdout.write(f"not as expected: {', '.join(sorted(wrong))}\n")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
