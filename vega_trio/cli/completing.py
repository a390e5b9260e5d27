"""What a shell offers behind Tab in place of a value: files, names of a document, words that a command knows.

Each function is a `shell_complete` of click's. Nothing is printed and nothing fails here: where there is no document,
or a wrong one, there is nothing to offer.
"""

from __future__ import annotations

import os
from collections.abc import Iterable
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from click.shell_completion import CompletionItem

    from vega_trio.dsl.document import Document

    Offers = list[CompletionItem[str]]


def files(_ctx: click.Context, _param: click.Parameter, incomplete: str) -> Offers:
    from click.shell_completion import CompletionItem

    return [CompletionItem(incomplete, type="file")]


def directories(_ctx: click.Context, _param: click.Parameter, incomplete: str) -> Offers:
    from click.shell_completion import CompletionItem

    return [CompletionItem(incomplete, type="dir")]


def workflows(ctx: click.Context, _param: click.Parameter, incomplete: str) -> Offers:
    document = _document(ctx)
    return _matching(incomplete, [] if document is None else document.workflows)


def agents_or_files(ctx: click.Context, param: click.Parameter, incomplete: str) -> Offers:
    """For `vega chat`, whose arguments may be an agent and a document."""
    document = _document(ctx)
    return _matching(incomplete, [] if document is None else document.agents) or files(ctx, param, incomplete)


def shown(ctx: click.Context, _param: click.Parameter, incomplete: str) -> Offers:
    """The names of the kind that `vega show` has been given."""
    document = _document(ctx)
    if document is None:
        return []
    kinds = {"agent": document.agents, "workflow": document.workflows}
    return _matching(incomplete, kinds.get(str(ctx.params.get("kind")), ()))


def kinds_or_files(ctx: click.Context, param: click.Parameter, incomplete: str) -> Offers:
    """For `vega list`."""
    from vega_trio.cli.list import KINDS

    given = ctx.params.get("names") or ()
    return _matching(incomplete, () if set(given) & set(KINDS) else KINDS) or files(ctx, param, incomplete)


def servers(ctx: click.Context, _param: click.Parameter, incomplete: str) -> Offers:
    """The MCP servers of the document, else those of the registry."""
    from vega_trio.app.plugins import REGISTRY

    document = _document(ctx)
    named = [] if document is None else [each.name for each in document.settings.mcp_servers]
    return _matching(incomplete, named or REGISTRY)


def registered(_ctx: click.Context, _param: click.Parameter, incomplete: str) -> Offers:
    """The MCP servers of the registry."""
    from vega_trio.app.plugins import REGISTRY

    return _matching(incomplete, REGISTRY)


def models(_ctx: click.Context, _param: click.Parameter, incomplete: str) -> Offers:
    """Those that are whole words: what follows `openai:` only its server knows."""
    from vega_trio.app.models import DEFAULT_MODEL

    return _matching(incomplete, ["demo", "local", DEFAULT_MODEL])


def local_models(_ctx: click.Context, _param: click.Parameter, incomplete: str) -> Offers:
    from vega_trio.app.models import SOURCES

    return _matching(incomplete, SOURCES)


def formats_or_files(ctx: click.Context, param: click.Parameter, incomplete: str) -> Offers:
    """For `--output`."""
    return _matching(incomplete, ["text", "json", "yaml"]) or files(ctx, param, incomplete)


def log_formats(_ctx: click.Context, _param: click.Parameter, incomplete: str) -> Offers:
    return _matching(incomplete, ["text", "json"])


def codes(_ctx: click.Context, _param: click.Parameter, incomplete: str) -> Offers:
    from vega_trio.dsl.explain import EXPLANATIONS

    return _matching(incomplete.upper(), EXPLANATIONS)


def keys(_ctx: click.Context, _param: click.Parameter, incomplete: str) -> Offers:
    from vega_trio.cli.keys import VARIABLES

    return _matching(incomplete, VARIABLES)


def commands(ctx: click.Context, _param: click.Parameter, incomplete: str) -> Offers:
    """For `vega help`: the commands below those that it has been given."""
    at = ctx.find_root()
    for name in ctx.params.get("names") or ():
        found = at.command.get_command(at, name) if isinstance(at.command, click.Group) else None
        if found is None:
            return []
        at = click.Context(found, info_name=name, parent=at)
    return _matching(incomplete, at.command.list_commands(at) if isinstance(at.command, click.Group) else [])


def inputs(ctx: click.Context, incomplete: str, taken: Iterable[str]) -> Offers:
    """`--NAME` of each input of the chosen workflow, else of all; not those that are options of the command."""
    document = _document(ctx)
    if document is None:
        return []
    chosen = document.workflows.get(ctx.params.get("workflow") or "")
    of = document.workflows.values() if chosen is None else [chosen]
    names = dict.fromkeys(f"--{name}" for workflow in of for name in workflow.inputs)
    return _matching(incomplete, [name for name in names if name not in taken])


def _matching(incomplete: str, names: Iterable[str]) -> Offers:
    from click.shell_completion import CompletionItem

    return [CompletionItem(name) for name in names if name.startswith(incomplete)]


def _document(ctx: click.Context) -> Document | None:
    """The document that the command would work on; None when there is none, or when it has errors."""
    from vega_trio.app.disk import Disk
    from vega_trio.cli.documents import choose_document
    from vega_trio.cli.failure import Failure
    from vega_trio.dsl.parse import parse_document
    from vega_trio.errors import DocumentError

    given = ctx.params.get("file")
    named = [name for name in ctx.params.get("names") or () if name.endswith((".yaml", ".yml"))]
    try:
        source = choose_document(given or (named[0] if named else None))
        return parse_document(source, Disk(), env=os.environ).document if source is not None else None
    except (Failure, DocumentError, OSError):
        return None
