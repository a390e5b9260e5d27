"""Options that every command takes, before or after its name, and what they say."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import click

from vega_trio.cli import completing


def _keep(ctx: click.Context, param: click.Parameter, value: object) -> None:
    """Notes a given option where the group and its command share it."""
    if value is None or value is False:
        return
    ctx.meta[str(param.name)] = value
    if "quiet" in ctx.meta and "verbose" in ctx.meta:
        raise click.UsageError("-q and -v exclude each other", ctx)


def shared_options() -> list[click.Parameter]:
    """New option objects for one command. Their values are in `Shared`, not among the command's arguments."""

    def option(*names: str, **more: Any) -> click.Option:
        return click.Option(list(names), expose_value=False, is_eager=True, callback=_keep, **more)

    return [
        option("--url", metavar="URL", help="The server that a command asks (default: VEGA_URL, else this machine's)."),
        option(
            "--home",
            metavar="DIR",
            shell_complete=completing.directories,
            help="Where vega keeps its own files (default: VEGA_HOME, else ~/.vega).",
        ),
        option("--no-color", is_flag=True, help="No colour, no animation."),
        option("-q", "--quiet", is_flag=True, help="Print results and errors only."),
        option("-v", "--verbose", is_flag=True, help="Say more, and log at level info."),
        option("--debug", is_flag=True, help="Log at level debug; show tracebacks."),
        option(
            "--log-format",
            metavar="FORMAT",
            shell_complete=completing.log_formats,
            help="Write the log as text or json (default: VEGA_LOG_FORMAT).",
        ),
    ]


class VegaCommand(click.Command):
    """A command whose wrong options are told as its own: click's parser does not always say whose they were."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        try:
            return super().parse_args(ctx, args)
        except click.UsageError as error:
            error.ctx = error.ctx or ctx
            raise


def vega_command(**settings: Any) -> Callable[[Callable[..., Any]], click.Command]:
    """`click.command` with the shared options at the end."""

    def decorate(function: Callable[..., Any]) -> click.Command:
        command: click.Command = click.command(cls=VegaCommand, **settings)(function)
        command.params.extend(shared_options())
        return command

    return decorate


class Shared:
    """What the shared options say, read from a command's context."""

    def __init__(self, ctx: click.Context) -> None:
        self.home: str | None = ctx.meta.get("home")
        self.url: str | None = ctx.meta.get("url")
        self.no_color = "no_color" in ctx.meta
        self.quiet = "quiet" in ctx.meta
        self.verbose = "verbose" in ctx.meta
        self.debug = "debug" in ctx.meta
        self.log_format: str | None = ctx.meta.get("log_format")
