"""What a server may be, what it is given, and how long its calls may take."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import trio

import vega_trio as vega
from vega_trio.app.mcp_config import Wanted, change_config, is_registered, make_config, new_config
from vega_trio.mcp.config import ServerConfig, config_of, config_row, environment
from vega_trio.mcp.source import PATIENCE, Kit, McpSource, pause_after
from vega_trio.mcp.stdio import MAX_GARBAGE, MAX_LINE, MAX_UNASKED, _Bounds, _Lines


@pytest.mark.parametrize(
    ("wrong", "why"),
    [
        ({"name": "a__b", "command": ("x",)}, "MCP server name"),
        ({"name": "", "command": ("x",)}, "MCP server name"),
        ({"name": "a_", "command": ("x",)}, "MCP server name"),
        ({"name": "x" * 64, "command": ("x",)}, "MCP server name"),
        ({"name": "a"}, "no command"),
        ({"name": "a", "command": ("x\0",)}, "NUL"),
        ({"name": "a", "command": ("x",), "env": {"A=B": "c"}}, "environment variable"),
        ({"name": "a", "command": ("x",), "env": {"A": 1}}, "'A' is no text"),
        ({"name": "a", "command": ("x",), "timeout_s": 0}, "more than 0"),
        ({"name": "a", "transport": "smoke", "url": "http://x/"}, "not 'smoke'"),
        ({"name": "a", "transport": "http", "url": "ftp://x/"}, "no address"),
        ({"name": "a", "transport": "sse", "url": "http:///x"}, "no address"),
        ({"name": "a", "transport": "http", "url": "http://[::1"}, "no address"),
        ({"name": "a", "transport": "http", "url": "http://host:99999/"}, "no address"),
        ({"name": "a", "transport": "http", "url": "http://x/", "headers": {"a": "b\nc"}}, "cannot be sent"),
    ],
)
def test_what_cannot_be_a_server_is_refused_and_says_why(wrong: dict[str, Any], why: str) -> None:
    with pytest.raises(vega.ConfigError, match=why):
        ServerConfig(**wrong)


def test_a_server_gets_few_variables_of_ours_and_those_declared() -> None:
    config = ServerConfig(name="a", command=("x",), env={"TOKEN": "t", "HOME": "/other"})
    host = {"PATH": "/bin", "HOME": "/root", "ANTHROPIC_API_KEY": "k", "VEGA_TOKEN": "v", "LD_PRELOAD": "x"}
    assert environment(config, host) == {"PATH": "/bin", "HOME": "/other", "TOKEN": "t"}


def test_pauses_get_long_and_never_end_however_often_a_server_fails() -> None:
    pauses = [pause_after(failures) for failures in range(PATIENCE + 8)]
    assert pauses == [0.0] * PATIENCE + [5.0, 10.0, 20.0, 40.0, 80.0, 160.0, 300.0, 300.0]
    assert pause_after(1_000_000) == 300.0


def test_secrets_are_not_shown() -> None:
    config = ServerConfig(name="a", transport="http", url="http://x/", headers={"authorization": "canary"})
    assert "canary" not in repr(config)
    assert "canary" not in repr(ServerConfig(name="a", command=("x",), env={"K": "canary"}))


def test_a_configuration_comes_back_from_its_row() -> None:
    for config in (
        ServerConfig(name="a", command=("x", "y"), env={"K": "v"}, cwd=Path("/tmp"), timeout_s=3.0),
        ServerConfig(name="b", transport="sse", url="http://x/", headers={"k": "v"}),
    ):
        assert config_of(config_row(config)) == config


def test_a_registered_server_takes_arguments_and_the_variables_it_is_known_to_read() -> None:
    config = make_config("github", args=("--x",), host={"GITHUB_PERSONAL_ACCESS_TOKEN": "t", "OTHER": "o"})
    assert config.command[-2:] == ("@modelcontextprotocol/server-github", "--x")
    assert config.env == {"GITHUB_PERSONAL_ACCESS_TOKEN": "t"}
    with pytest.raises(vega.ConfigError, match="needs GITHUB_PERSONAL_ACCESS_TOKEN"):
        new_config("github", Wanted(), {})


@pytest.mark.parametrize(
    ("name", "wanted", "allowed"),
    [
        ("filesystem", Wanted(args=("/data",)), True),
        ("filesystem", Wanted(command="sh"), False),
        ("filesystem", Wanted(env={"NODE_OPTIONS": "--require=/tmp/x"}), False),
        ("memory", Wanted(env={"MEMORY_FILE_PATH": "/tmp/x"}), True),
        ("mine", Wanted(url="http://127.0.0.1:1/"), True),
    ],
)
def test_without_permission_only_what_the_registry_names_may_run(name: str, wanted: Wanted, allowed: bool) -> None:
    assert is_registered(name, wanted) is allowed


def test_changed_arguments_stand_behind_the_registrys_and_cannot_take_their_place() -> None:
    present = new_config("filesystem", Wanted(args=("/a",)), {})
    assert is_registered("filesystem", Wanted(args=("/b",)), present)
    assert change_config(present, Wanted(args=("evil-package",))).command == (*present.command[:3], "evil-package")
    own = ServerConfig(name="own", command=("python", "server.py"))
    assert not is_registered("own", Wanted(args=("-c", "evil")), own)


def test_a_line_that_never_ends_is_not_kept() -> None:
    lines = _Lines("s")
    assert lines.feed(b'{"a"') == []
    assert lines.feed(b":1}\n\n  \n{}\n{") == [b'{"a":1}', b"{}"]
    for _ in range(MAX_LINE // 65536 - 1):
        assert lines.feed(b"x" * 65536) == []
    with pytest.raises(vega.McpLost, match="more than"):
        lines.feed(b"x" * 65536)


def test_a_server_may_say_some_nonsense_and_not_too_much() -> None:
    bounds = _Bounds("s")
    for _ in range(MAX_GARBAGE):
        bounds.garbage(b"hello")
    with pytest.raises(vega.McpLost, match="speaks no JSON-RPC"):
        bounds.garbage(b"hello")
    for second in range(3):
        for _ in range(MAX_UNASKED):
            bounds.unasked(second * 1.0 + 5)
    with pytest.raises(vega.McpLost, match="in a second"):
        bounds.unasked(7.5)


async def test_the_time_of_a_call_stands_still_while_a_person_is_asked(autojump_clock: trio.testing.MockClock) -> None:
    def nothing(_: object) -> Any:
        """Not called."""

    kit = Kit(host={}, compile_check=nothing, cap=str, shown=nothing, emit=nothing, pinned=nothing, peer=nothing)
    source = McpSource(ServerConfig(name="s", command=("x",)), kit)
    with source._clock.limited(5) as scope:
        await trio.sleep(1)
        with source.without_time_limit():
            await trio.sleep(600)
        await trio.sleep(3.9)
        assert not scope.cancel_called
        await trio.sleep(0.2)
    assert scope.cancelled_caught
