"""`vega keys`: keeps API keys in the home's env file. A key is never printed, and never an argument."""

from __future__ import annotations

import json
import os
import re
import sys

import click

from vega_trio.cli import completing
from vega_trio.cli.options import Shared, shared_options, vega_command
from vega_trio.cli.terminal import is_terminal, put

VARIABLES = {
    "anthropic": "ANTHROPIC_API_KEY",
    "openai": "OPENAI_API_KEY",
    "telegram": "TELEGRAM_BOT_TOKEN",
    "brave": "BRAVE_API_KEY",
}
MAX_CHARACTERS = 16_384


@vega_command(name="set")
@click.argument("name", shell_complete=completing.keys)
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
@click.pass_context
def set_command(ctx: click.Context, name: str, as_json: bool) -> int:
    """Keep a key in the home's file env, which only you can read.

    NAME is anthropic, openai, telegram, brave, or a variable such as MY_API_KEY. Asks for the key without showing
    it, or reads it from stdin when that is no terminal: vega keys set anthropic < FILE.
    """
    from vega_trio.cli.config import open_setup
    from vega_trio.cli.env_file import set_variable
    from vega_trio.cli.failure import warn

    shared = Shared(ctx)
    variable = variable_of(name)
    path = open_setup(shared.home).home / "env"
    value = _checked(variable, _ask(variable))
    set_variable(path, variable, value)
    if os.environ.get(variable, value) not in ("", value):
        warn(f"the shell sets {variable} too, to something else, and that is used", no_color=shared.no_color)
    put((json.dumps({"name": variable, "file": str(path)}) if as_json else f"{variable}: kept in {path}") + "\n")
    return 0


def variable_of(name: str) -> str:
    """The environment variable of a provider's or a variable's name. Raises: Failure."""
    from vega_trio.cli.failure import usage
    from vega_trio.errors import did_you_mean

    if name.lower() in VARIABLES:
        return VARIABLES[name.lower()]
    if re.fullmatch(r"[A-Z_][A-Z0-9_]*", name) is None:
        known = ", ".join(VARIABLES)
        shown = name if len(name) <= 20 else name[:4] + ".."  # a key, written here by mistake, must not be repeated
        raise usage(
            f"there is no key called {shown!r}{did_you_mean(shown, VARIABLES)}",
            f"name {known}, or a variable in capitals such as MY_API_KEY; the key itself is asked for",
        )
    return name


def _ask(variable: str) -> str:
    """What is typed, unseen, or what is piped in."""
    if is_terminal(sys.stdin):
        typed: str = click.prompt(variable, hide_input=True, err=True)
        return typed.strip()
    return sys.stdin.read(MAX_CHARACTERS + 2).strip()


def _checked(variable: str, value: str) -> str:
    """Raises: Failure, which does not tell the value."""
    from vega_trio.cli.failure import usage

    if not value:
        raise usage(f"there is no value for {variable}", f"pipe it in or type it: vega keys set {variable}")
    if len(value) > MAX_CHARACTERS:
        raise usage(f"the value for {variable} is longer than {MAX_CHARACTERS} characters", "give the key alone")
    known = variable in VARIABLES.values()
    if not value.isprintable() or (known and (not value.isascii() or " " in value)):
        raise usage(f"the value for {variable} holds characters that no key has", "copy it again, on one line")
    return value


@vega_command(name="list")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object a line.")
@click.pass_context
def list_command(ctx: click.Context, as_json: bool) -> int:
    """List the names of what is set, in the home's file env or for a provider in the shell; no values."""
    from vega_trio.cli.config import home_folder, read_env_file

    file = read_env_file(home_folder(Shared(ctx).home) / "env")
    names = {*file, *(name for name in VARIABLES.values() if os.environ.get(name))}
    for name in sorted(names):
        place = "shell" if os.environ.get(name) else "file"
        put((json.dumps({"name": name, "from": place}) if as_json else f"{name}\t{place}") + "\n")
    return 0


command = click.Group(
    "keys",
    commands=[set_command, list_command],
    params=shared_options(),
    help="Keep API keys, and list which there are.",
)
