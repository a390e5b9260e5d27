"""The command `vega`: finds the command, runs it, turns what it raises into an exit code.

Nothing but click is imported here: `vega --help` has to answer at once. Each command's module is imported when the
command is called, and the error tree only when there is an error.
"""

from __future__ import annotations

import importlib
import io
import os
import sys
from collections.abc import Mapping, Sequence

import click

from vega_trio.cli.options import shared_options
from vega_trio.cli.terminal import put

COMMANDS: Mapping[str, str] = {
    "run": "Run a workflow and print its result.",
    "serve": "Serve the dashboard and the HTTP API.",
    "repl": "Talk to agents and run workflows, in the terminal.",
    "chat": "Talk to an agent.",
    "watch": "Run a workflow again whenever its files change.",
    "validate": "Check a document.",
    "list": "List the agents, workflows and tools of a document.",
    "show": "Show one agent or workflow of a document.",
    "graph": "Draw a document as a Mermaid flowchart.",
    "schema": "Print the JSON Schema of documents, for editors.",
    "ps": "List the processes of a server.",
    "tree": "Show its processes as a tree.",
    "top": "Watch its figures and processes.",
    "events": "Print what happens on it.",
    "logs": "Print what a process did.",
    "inspect": "Show all about a process.",
    "stop": "Stop the turn of a process.",
    "kill": "End a process for good.",
    "restart": "Restart a process.",
    "costs": "Show what was spent.",
    "token": "Make, list and revoke tokens.",
    "approvals": "List the tool calls that wait for a person.",
    "approve": "Allow a tool call that waits.",
    "deny": "Refuse a tool call that waits.",
    "fork": "Start a process as another stood after an event.",
    "crashtest": "Kill a workflow again and again, and check what survives.",
    "explain": "Explain a code such as V012.",
    "skills": "List and check skills.",
    "models": "Fetch and list local models.",
    "mcp": "Add MCP servers and try them out, and serve a document as one.",
    "init": "Write a first document.",
    "export": "Print the configuration that holds.",
    "doctor": "Check what vega needs, and say how to fix it.",
    "keys": "Keep API keys, and list which there are.",
    "reset": "Delete the database.",
    "completion": "Print what makes a shell complete vega's words.",
    "version": "Print the version.",
    "help": "Show the help of vega or of a command.",
}
"""Name and summary of every command; each is the object `command` of the module of its name."""

NEXT_STEPS = """\
vega runs AI agents as supervised processes.

  vega serve --demo                  the dashboard, without a key and without cost
  vega repl                          talk to the built-in assistant
  vega run FILE --task "..."         run the workflow of a document
  vega init                          write a first document
  vega validate FILE                 check a document
  vega doctor                        check what vega needs, and say how to fix it
  vega help                          all commands
"""


class LazyGroup(click.Group):
    """A group that lists its commands from a table and imports one only to run it."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in COMMANDS:
            return None
        command = importlib.import_module(f"vega_trio.cli.{cmd_name}").command
        assert isinstance(command, click.Command)
        return command

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        if args[0] not in COMMANDS and not ctx.resilient_parsing:  # a shell that completes hears of no mistakes
            raise click.exceptions.NoSuchCommand(args[0], possibilities=COMMANDS, ctx=ctx)
        return super().resolve_command(ctx, args)

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        with formatter.section("Commands"):
            formatter.write_dl(list(COMMANDS.items()))


def _print_version(ctx: click.Context, _param: click.Parameter, value: bool) -> None:
    if value:
        from vega_trio._version import __version__

        put(f"vega {__version__}\n")
        ctx.exit()


def _next_steps(ctx: click.Context) -> int:
    if ctx.invoked_subcommand is None:
        put(NEXT_STEPS)
    return 0


def root() -> click.Group:
    """The command tree."""

    @click.pass_context
    def callback(ctx: click.Context) -> int:
        return _next_steps(ctx)

    version = click.Option(
        ["--version"],
        is_flag=True,
        is_eager=True,
        expose_value=False,
        callback=_print_version,
        help="Print the version.",
    )
    return LazyGroup(
        "vega",
        callback=callback,
        params=[*shared_options(), version],
        help="AI agents as supervised processes.",
        epilog="Options may stand before or after the arguments. Results go to stdout, all else to stderr.",
        invoke_without_command=True,
        context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
    )


def invoke(args: Sequence[str]) -> int:
    """Runs one command line and returns its exit code. Whatever goes wrong has been said on stderr."""
    try:
        with root().make_context("vega", list(args)) as ctx:
            code = ctx.command.invoke(ctx)
        sys.stdout.flush()
    except click.exceptions.Exit as leaving:
        return leaving.exit_code
    except BaseException as error:  # noqa: BLE001 - the one place where an error becomes an exit code
        from vega_trio.cli.failure import report

        return report(error, debug="--debug" in args, no_color="--no-color" in args)
    return code if isinstance(code, int) else 0


def main() -> None:
    """The console script."""
    _open_streams()
    asked = os.environ.get("_VEGA_COMPLETE")  # set by the script of `vega completion`
    code = _complete(asked) if asked else invoke(sys.argv[1:])
    try:
        sys.stdout.flush()
    except OSError:
        # The reader has gone or the disk is full, which has been said; the interpreter would fail at it once more.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    sys.exit(code)


def _complete(asked: str) -> int:
    """Prints what may stand in place of the word that `COMP_WORDS` ends with. `asked` is `SHELL_complete`."""
    from vega_trio.cli.shells import SHELLS, completion

    shell, _, instruction = asked.partition("_")
    if shell not in SHELLS or instruction != "complete":
        return 1
    put(completion(shell, root()).complete() + "\n")
    return 0


def _open_streams() -> None:
    """Makes stdout and stderr writable whatever they are: no answer is lost because of a character or a closed one."""
    for name in ("stdout", "stderr"):
        stream = getattr(sys, name)
        if stream is None:  # closed by the caller
            setattr(sys, name, open(os.devnull, "w"))  # noqa: SIM115 - it lives as long as the program
        elif isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="replace")
