"""`vega mcp serve`, `list` and `test`, as their users start them."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
import trio

import vega_trio as vega
from vega_trio.mcp_server.stdio import _refusal

pytestmark = pytest.mark.e2e

HOSTILE = Path(__file__).parent.parent / "mcp" / "hostile.py"
DOCUMENT = """
name: team
agents:
  Helper: {{system: You help., model: demo, description: Helps.}}
  double: {{system: You double., model: demo}}
workflows:
  double:
    description: Says it twice.
    inputs:
      text: {{type: string, description: What., min: 1}}
      times: {{type: integer, default: 2, min: 1, max: 9}}
      mood: {{type: string, enum: [gay, sad], default: gay}}
    steps: [{{set: {{out: "{{{{text}}}} {{{{text}}}}"}}}}]
    output: {{twice: "{{{{out}}}}", times: "{{{{times}}}}"}}
  broken:
    inputs: {{text: string}}
    steps: [{{set: {{out: "{{{{text | int}}}}"}}}}]
settings:
  mcp:
    servers:
      good: {{command: {python}, args: [-I, -S, "{script}", plain]}}
      bad: {{command: {python}, args: [-I, -S, "{script}", dead]}}
"""


def written(folder: Path) -> str:
    path = folder / "team.vega.yaml"
    path.write_text(DOCUMENT.format(python=sys.executable, script=HOSTILE))
    return str(path)


def vega_command(*args: str) -> list[str]:
    return [sys.executable, "-m", "vega_trio", *args]


def environment(folder: Path) -> dict[str, str]:
    return {"PATH": os.environ["PATH"], "PYTHONPATH": str(Path(vega.__file__).parent.parent), "VEGA_HOME": str(folder)}


async def test_agents_and_workflows_are_tools_on_stdin_and_stdout(tmp_path: Path) -> None:
    command = vega_command("mcp", "serve", written(tmp_path))
    with trio.fail_after(30):
        async with vega.open_mcp(name="v", command=command, env=environment(tmp_path)) as source:
            assert set(source.tools) == {"v__Helper", "v__double", "v__double-workflow", "v__broken"}
            assert source.tools["v__double-workflow"].spec.parameters == {
                "type": "object",
                "properties": {
                    "text": {"type": "string", "description": "What.", "minLength": 1},
                    "times": {"type": "integer", "default": 2, "minimum": 1, "maximum": 9},
                    "mood": {"type": "string", "default": "gay", "enum": ["gay", "sad"]},
                },
                "additionalProperties": False,
                "required": ["text"],
            }
            assert json.loads(await source.call_tool("double-workflow", {"text": "a"})) == {"twice": "a a", "times": 2}
            with pytest.raises(vega.ToolError, match="int"):
                await source.call_tool("broken", {"text": "no number"})


def run(folder: Path, *args: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        vega_command(*args), capture_output=True, text=True, timeout=60, cwd=folder, env=environment(folder)
    )


def test_the_servers_of_a_document_are_listed_with_their_tools_or_what_is_wrong(tmp_path: Path) -> None:
    written(tmp_path)
    listed = run(tmp_path, "mcp", "list", "--json")
    good, bad = (json.loads(line) for line in listed.stdout.splitlines())
    assert (good["name"], good["connected"], good["tools"]) == ("good", True, ["echo", "read"])
    assert (bad["name"], bad["connected"]) == ("bad", False)
    assert "no licence for that" in bad["error"]


def test_one_server_is_tried_out_and_the_exit_code_says_whether_it_works(tmp_path: Path) -> None:
    written(tmp_path)
    good, bad = run(tmp_path, "mcp", "test", "good"), run(tmp_path, "mcp", "test", "bad")
    assert good.returncode == 0
    assert "good__echo\tGives the text back." in good.stdout
    assert bad.returncode == 1
    assert "no licence for that" in bad.stderr
    assert run(tmp_path, "mcp", "test", "nobody").returncode == 1


@pytest.mark.parametrize(
    ("line", "id_", "code"),
    [
        (b"hello", None, -32700),
        (b"\xff", None, -32700),
        (b"[" * 100_000, None, -32700),
        (b"[]", None, -32600),
        (b'{"id": 7}', 7, -32600),
        (b'{"id": true, "method": "ping"}', None, -32600),
        (b'{"jsonrpc": "2.0", "id": "a", "method": "ping", "params": {"x": "\\ud800"}}', "a", -32600),
    ],
)
def test_what_is_no_message_is_answered_so_that_nobody_waits(line: bytes, id_: object, code: int) -> None:
    answer = _refusal(line)
    assert (answer.id, answer.error.code) == (id_, code)
