"""The built-in tools, all together."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest
import trio

from vega_trio.errors import ConfigError
from vega_trio.protocols import Tool
from vega_trio.tools.builtins import builtin_tools

Call = Callable[..., Awaitable[str]]

PARAMETERS = {
    "read_file": (["path"], ["offset", "limit"]),
    "write_file": (["path", "content"], []),
    "append_file": (["path", "content"], []),
    "edit_file": (["path", "old", "new"], []),
    "list_files": ([], ["path", "pattern", "recursive"]),
    "run_command": (["command"], ["cwd", "timeout"]),
    "exec": (["command"], ["cwd", "timeout"]),
    "http_get": (["url"], ["headers"]),
    "http_post": (["url"], ["body", "headers"]),
    "web_search": (["query"], ["count"]),
}
EFFECTS = {
    "read_file": {"read"},
    "list_files": {"read"},
    "http_get": {"network"},
    "http_post": {"network"},
    "web_search": {"network"},
    "write_file": {"write"},
    "append_file": {"write"},
    "edit_file": {"read", "write"},
    "run_command": {"exec", "read", "write"},
    "exec": {"exec", "read", "write"},
}


def test_the_built_in_tools_are_those_of_the_product(tmp_path: Path) -> None:
    tools = builtin_tools(sandbox=tmp_path / "workspace")
    shapes = {}
    for name, tool in tools.items():
        assert isinstance(tool, Tool)
        required = tool.spec.parameters.get("required", [])
        shapes[name] = (required, [each for each in tool.spec.parameters["properties"] if each not in required])
        assert all("description" in each for each in tool.spec.parameters["properties"].values())
    assert shapes == PARAMETERS
    assert {name: set(tool.spec.effects) for name, tool in tools.items()} == EFFECTS


def test_making_them_creates_no_directory(tmp_path: Path) -> None:
    builtin_tools(sandbox=tmp_path / "workspace")
    assert not (tmp_path / "workspace").exists()


@pytest.mark.e2e
async def test_files_and_commands_share_the_workspace(tmp_path: Path, call: Call) -> None:
    tools = builtin_tools(sandbox=tmp_path / "workspace")
    with trio.fail_after(30):
        await call(tools["write_file"], path="a.txt", content="one two")
        assert await call(tools["exec"], command="wc -w < a.txt; echo three > b.txt") == "2\n"
        assert await call(tools["read_file"], path="b.txt") == "three\n"


def test_a_setting_that_cannot_be_is_refused_at_once(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"settings\.http\.allow: 'http://x'"):
        builtin_tools(sandbox=tmp_path, http_allow=["http://x"])


@pytest.mark.e2e
def test_making_them_imports_neither_httpx_nor_the_schema_validator(tmp_path: Path) -> None:
    code = (
        "import sys; from pathlib import Path; from vega_trio.tools.builtins import builtin_tools; "
        f"builtin_tools(sandbox=Path({str(tmp_path)!r})); "
        "print([name for name in ('httpx', 'httpcore', 'jsonschema_rs', 'cattrs') if name in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=60)
    assert done.stdout == "[]\n"
