"""`vega token`: its commands and options. What they do is in `token_desk.py`."""

from __future__ import annotations

import click

from vega_trio.cli import completing
from vega_trio.cli.options import Shared, shared_options, vega_command


def _db_option() -> click.Option:
    return click.Option(
        ["--db"],
        metavar="PATH",
        shell_complete=completing.files,
        help="The server's database (default: VEGA_DB, else .vega-serve.db).",
    )


@vega_command(name="add", params=[_db_option()])
@click.argument("user")
@click.option("--role", type=click.Choice(["owner", "viewer"]), default="owner", help="(default: owner)")
@click.option("--json", "as_json", is_flag=True, help="Print it as JSON.")
@click.pass_context
def add_command(ctx: click.Context, user: str, role: str, db: str | None, as_json: bool) -> int:
    """Make a token for USER and print it, this once."""
    from vega_trio.cli.token_desk import add

    return add(Shared(ctx), db, user, role, as_json=as_json)


@vega_command(name="list", params=[_db_option()])
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object a line.")
@click.pass_context
def list_command(ctx: click.Context, db: str | None, as_json: bool) -> int:
    """List the tokens, never what they are."""
    from vega_trio.cli.token_desk import show

    return show(Shared(ctx), db, as_json=as_json)


@vega_command(name="revoke", params=[_db_option()])
@click.argument("token_id", metavar="ID")
@click.pass_context
def revoke_command(ctx: click.Context, token_id: str, db: str | None) -> int:
    """Forget a token, and the browsers that have logged in with it."""
    from vega_trio.cli.token_desk import revoke

    return revoke(Shared(ctx), db, token_id)


command = click.Group(
    "token",
    commands=[add_command, list_command, revoke_command],
    params=shared_options(),
    help="Make, list and revoke tokens, in the database or through the server that holds it.",
)
