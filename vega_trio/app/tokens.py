"""Who may use a server: tokens, each of a user with a role, and the browsers that have shown one.

A secret is never kept, only its SHA-256. A browser that logged in has a secret of its own, which ends with its token.
"""

from __future__ import annotations

import hashlib
import hmac
import os
import secrets
import stat
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, Literal

import attrs

from vega_trio._core.wire import rfc3339
from vega_trio.app.ids import new_id
from vega_trio.changes import Change, Delete, Put, Together
from vega_trio.errors import ConfigError, InputError, UnknownToken
from vega_trio.protocols import Store
from vega_trio.session import DEFAULT_USER

Role = Literal["owner", "viewer"]
ROLES: tuple[Role, ...] = ("owner", "viewer")
TABLE = "token"
SECRET_BYTES = 32
BROWSER_S = 30 * 86400.0
USER_LENGTH = 128
HOME_ID = "home"  # of the token in the home's file, which is no row
OPERATOR = DEFAULT_USER


@attrs.frozen(kw_only=True)
class Token:
    """A row. `of` is the token that a browser logged in with, None for a token; times are Unix seconds."""

    id: str
    hash: str = attrs.field(repr=False)
    user: str
    role: Role
    created_at: float
    of: str | None = None
    expires_at: float | None = None

    def shown(self) -> dict[str, Any]:
        """What may be told of it."""
        return {"id": self.id, "user": self.user, "role": self.role, "created_at": rfc3339(self.created_at)}


@attrs.define(eq=False)
class Tokens:
    """The tokens of a store. `home` is the secret in the home's file, the operator's own; None when it does not count.

    Rows are held in memory, since every request asks.
    """

    _store: Store
    _home: Token | None = attrs.field(default=None, repr=False)
    _by_hash: dict[str, Token] = attrs.field(factory=dict, init=False, repr=False)

    async def load(self, home_secret: str | None = None) -> None:
        """Reads the rows; those that have expired are forgotten. Raises: StoreError."""
        if home_secret is not None:
            self._home = Token(
                id=HOME_ID, hash=_hashed(home_secret), user=OPERATOR, role="owner", created_at=time.time()
            )
        for row in await self._store.records.query(TABLE):
            token = Token(**row)
            if token.expires_at is not None and token.expires_at <= time.time():
                self._store.submit(Delete(TABLE, token.id))
            else:
                self._by_hash[token.hash] = token

    def find(self, secret: str) -> Token | None:
        """The token or browser that has this secret."""
        hashed = _hashed(secret)
        if self._home is not None and hmac.compare_digest(self._home.hash, hashed):
            return self._home
        found = self._by_hash.get(hashed)
        if found is None or (found.expires_at is not None and found.expires_at <= time.time()):
            return None
        return found

    @property
    def home(self) -> Token | None:
        """The operator's token."""
        return self._home

    def all(self) -> list[Token]:
        """In the order in which they were made, browsers aside."""
        return [each for each in self._by_hash.values() if each.of is None]

    async def add(self, user: str, role: str) -> tuple[Token, str]:
        """A new token and its secret, which nobody can ask for again. Raises: InputError, StoreError."""
        return await self._add(_checked_user(user), _checked_role(role))

    async def admit(self, token: Token) -> str:
        """A browser has shown a token: the secret that it keeps for a month. Raises: StoreError."""
        _, secret = await self._add(token.user, token.role, of=token.id, expires_at=time.time() + BROWSER_S)
        return secret

    async def _add(
        self, user: str, role: Role, *, of: str | None = None, expires_at: float | None = None
    ) -> tuple[Token, str]:
        secret, now = secrets.token_urlsafe(SECRET_BYTES), time.time()
        token = Token(
            id=new_id(), hash=_hashed(secret), user=user, role=role, created_at=now, of=of, expires_at=expires_at
        )
        await self._store.submit(Put(TABLE, token.id, attrs.asdict(token))).wait()
        self._by_hash[token.hash] = token
        return token, secret

    async def revoke(self, token_id: str) -> None:
        """Forgets a token and the browsers that logged in with it. Raises: UnknownToken, StoreError."""
        gone = [each for each in self._by_hash.values() if token_id in (each.id, each.of)]
        if all(each.of is not None for each in gone):
            raise UnknownToken(f"there is no token {token_id[:100]!r}; the one in the home is its file 'token'")
        await self._forget(gone)

    async def log_out(self, secret: str) -> None:
        """Forgets a browser. A token stays."""
        found = self._by_hash.get(_hashed(secret))
        if found is not None and found.of is not None:
            await self._forget([found])

    async def _forget(self, gone: list[Token]) -> None:
        changes: tuple[Change, ...] = tuple(Delete(TABLE, each.id) for each in gone)
        await self._store.submit(Together(changes)).wait()
        for each in gone:
            self._by_hash.pop(each.hash, None)


@asynccontextmanager
async def open_tokens(database: str) -> AsyncIterator[Tokens]:
    """The tokens of a database that no server has open. Raises: StoreBusy, StoreError, MissingExtra."""
    from vega_trio.store.sqlite import open_sqlite

    async with open_sqlite(database) as store:
        tokens = Tokens(store)
        await tokens.load()
        yield tokens


def home_secret(path: Path) -> str:
    """The operator's secret, made on first use; only its owner may read the file. Blocking. Raises: ConfigError."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        return _read(path) or _make(path)
    except OSError as error:
        raise ConfigError(f"{path} cannot be used: {error.strerror}; it holds the server's token") from error


def _read(path: Path) -> str | None:
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NOFOLLOW)
    except FileNotFoundError:
        return None
    with open(descriptor, encoding="utf-8", errors="replace") as file:
        if stat.S_IMODE(os.fstat(descriptor).st_mode) & 0o077:
            raise ConfigError(f"{path} may be read by others; run: chmod 600 {path}")
        secret = file.read(1000).strip()
    if len(secret) < SECRET_BYTES:
        raise ConfigError(f"{path} holds no token of 256 bits; delete it, and a new one is made")
    return secret


def _make(path: Path) -> str:
    secret = secrets.token_urlsafe(SECRET_BYTES)
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600)
    with open(descriptor, "w", encoding="ascii") as file:
        file.write(secret + "\n")
        file.flush()
        os.fsync(descriptor)
    return secret


def _hashed(secret: str) -> str:
    return hashlib.sha256(secret.encode("utf-8", "replace")).hexdigest()


def _checked_user(user: str) -> str:
    if not (0 < len(user) <= USER_LENGTH and user.isprintable() and user == user.strip()):
        text = f"a user's name has 1 to {USER_LENGTH} printable characters, not {user[:40]!r}"
        raise InputError(text, "bad_value", "user")
    return user


def _checked_role(role: str) -> Role:
    for known in ROLES:
        if role == known:
            return known
    raise InputError(f"a role is owner or viewer, not {role[:40]!r}", "bad_value", "role")
