"""The words of workflows: what a step's key means when it is no agent's name."""

from __future__ import annotations

import re

from vega_trio.dsl.expr import RESERVED

ACTIONS = frozenset({"if", "for", "repeat", "parallel", "try", "workflow", "set", "return", "remember", "recall"})
COMPANIONS = {"then": "if", "else": "if", "steps": "for", "catch": "try", "with": "workflow", "limit": "parallel"}
OPTIONS = frozenset(
    {
        "save",
        "id",
        "timeout",
        "on_timeout",
        "continue_on_error",
        "budget",
        "retry",
        "format",
        "schema",
        "tools",
        "fresh",
    }
)
ASK_OPTIONS = frozenset({"budget", "retry", "format", "schema", "tools", "fresh"})
STEP_WORDS = ACTIONS | frozenset(COMPANIONS) | OPTIONS | {"send"}

BUILTIN_VARIABLES = frozenset(
    {
        "input",
        "result",
        "item",
        "error",
        "error_class",
        "loop",
        "steps",
        "env",
        "date",
        "time",
        "now",
        "random",
        "run_id",
        "workflow",
    }
)
UNSHADOWABLE = frozenset({"loop", "env", "steps"})

BUILTIN_TOOLS = frozenset(
    {
        "read_file",
        "write_file",
        "append_file",
        "edit_file",
        "list_files",
        "run_command",
        "exec",
        "web_search",
        "http_get",
        "http_post",
        "mcp_read_resource",
    }
)

_IDENTIFIER = re.compile(r"[^\W\d]\w*")


def bad_variable(name: str) -> str:
    """What is wrong with the name of a variable, or nothing."""
    if not _IDENTIFIER.fullmatch(name):
        return "must be letters, digits and _, not beginning with a digit"
    if name in UNSHADOWABLE:
        return "belongs to the language"
    return "is a word of expressions" if name in RESERVED else ""


def variable_hint(name: str) -> str:
    """A name that would do, near to one that does not."""
    near = re.sub(r"\W+", "_", name[:40]).strip("_")
    return next((f"write for example: {each}" for each in (near, f"my_{near}") if not bad_variable(each)), "")


VALUE_PREFIX = "VEGA_VALUE_"
"""Of the environment variables that give tool values: `VEGA_VALUE_X` gives `x`."""

SERVER_NAME = re.compile(r"(?!.*__)[A-Za-z0-9][A-Za-z0-9_.-]{0,62}(?<!_)")
"""What an MCP server may be called: its name stands before `__` in the names of its tools."""
