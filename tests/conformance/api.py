"""Sends what schemathesis makes of the API's own description to a real server: nothing may answer 500.

    python tests/conformance/api.py [--examples N] [--schemathesis COMMAND]

Without a command it is installed into an environment of its own, `.peers/schemathesis`. Streams are left out, since
they do not end, and MCP servers, which are programs to be fetched and started.
"""

from __future__ import annotations

import argparse
import os
import re
import subprocess
import sys
import tempfile
import venv
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

ROOT = Path(__file__).parents[2]
HOME = ROOT / ".peers" / "schemathesis"
VERSION = "4.32.5"
LEFT_OUT = "stream|/api/events$|/api/mcp/servers"


def installed() -> str:
    command = HOME / "bin" / "schemathesis"
    if not command.exists():
        venv.create(HOME, with_pip=True)
        subprocess.run([HOME / "bin" / "pip", "install", "--quiet", f"schemathesis=={VERSION}"], check=True)
    return str(command)


@contextmanager
def serving(folder: str) -> Iterator[str]:
    """A server with the demo model and limits that a flood of requests does not meet."""
    document = Path(folder) / "api.vega.yaml"
    document.write_text(
        "agents: {assistant: {model: demo, system: You help.}}\n"
        "workflows: {ask: {inputs: {message: string}, steps: [{assistant: '{{message}}'}]}}\n"
        "settings: {limits: {turns_per_min: 1000000}}\n"
    )
    command = [sys.executable, "-m", "vega_trio", "serve", str(document), "--addr", ":0", "--db", f"{folder}/v.db"]
    command += ["--model", "demo"]  # for agents that are composed with another, too
    with subprocess.Popen([*command, "--home", folder], stderr=subprocess.PIPE, text=True, cwd=ROOT) as server:
        assert server.stderr is not None
        try:
            for line in server.stderr:
                found = re.search(r"Dashboard: (\S+)", line)
                if found is not None:
                    yield found[1]
                    break
        finally:
            server.terminate()


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--examples", type=int, default=10, help="of each operation (default: 10)")
    parser.add_argument("--schemathesis", metavar="COMMAND")
    options = parser.parse_args()
    command = options.schemathesis or installed()
    with tempfile.TemporaryDirectory(prefix="vega-api-") as folder, serving(folder) as url:
        asked = [command, "run", f"{url}/api/openapi.json", "--checks", "not_a_server_error"]
        asked += ["--max-examples", str(options.examples), "--request-timeout", "5"]
        asked += ["--seed", "1"] if os.environ.get("CI") else []
        return subprocess.run([*asked, "--exclude-path-regex", LEFT_OUT], cwd=folder).returncode


if __name__ == "__main__":
    sys.exit(main())
