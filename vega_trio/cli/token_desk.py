"""Tokens from the command line: in the database, or through the server that has it open."""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable
from typing import Any, TypeVar

import trio

from vega_trio.app.tokens import Tokens, open_tokens
from vega_trio.cli.config import Setup, open_setup
from vega_trio.cli.options import Shared
from vega_trio.cli.remote import Remote, open_remote, path_of
from vega_trio.cli.serving import choose_database
from vega_trio.cli.table import table
from vega_trio.cli.terminal import put
from vega_trio.errors import StoreBusy

T = TypeVar("T")


def add(shared: Shared, db: str | None, user: str, role: str, *, as_json: bool) -> int:
    async def here(tokens: Tokens) -> dict[str, Any]:
        token, secret = await tokens.add(user, role)
        return {**token.shown(), "token": secret}

    made = _done(shared, db, here, lambda remote: remote.post("/api/tokens", {"user": user, "role": role}))
    put((json.dumps(made) if as_json else made["token"]) + "\n")
    return 0


def show(shared: Shared, db: str | None, *, as_json: bool) -> int:
    async def here(tokens: Tokens) -> list[dict[str, Any]]:
        return [token.shown() for token in tokens.all()]

    found = _done(shared, db, here, lambda remote: remote.get("/api/tokens"))
    if as_json:
        for row in found:
            put(json.dumps(row) + "\n")
    else:
        heads = ("id", "user", "role", "created_at")
        put(table(heads, [[row[head] for head in heads] for row in found]))
    return 0


def revoke(shared: Shared, db: str | None, token_id: str) -> int:
    async def here(tokens: Tokens) -> None:
        await tokens.revoke(token_id)

    _done(shared, db, here, lambda remote: remote.delete(path_of("tokens", token_id)))
    put(f"{token_id}: revoked\n")
    return 0


def _done(shared: Shared, db: str | None, here: Callable[[Tokens], Awaitable[T]], there: Callable[[Remote], T]) -> T:
    """At the server that was named; else in the database, or at the server that has it open. Raises: Failure."""
    setup = open_setup(shared.home)
    if shared.url is not None:
        return there(open_remote(setup, shared.url))
    try:
        return trio.run(_in_database, setup, db, here)
    except StoreBusy:
        return there(open_remote(setup, None))


async def _in_database(setup: Setup, db: str | None, here: Callable[[Tokens], Awaitable[T]]) -> T:
    async with open_tokens(choose_database(db, setup)) as tokens:
        return await here(tokens)
