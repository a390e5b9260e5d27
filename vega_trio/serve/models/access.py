"""Credentials and tokens."""

from __future__ import annotations

import attrs


@attrs.frozen
class Login:
    """One of the two."""

    token: str | None = None
    code: str | None = None


@attrs.frozen
class NewToken:
    user: str
    role: str = "owner"


@attrs.frozen(kw_only=True)
class Me:
    """`mode`: local where no credentials are asked for, else token."""

    user: str
    role: str
    mode: str


@attrs.frozen(kw_only=True)
class TokenEntry:
    id: str
    user: str
    role: str
    created_at: str


@attrs.frozen(kw_only=True)
class TokenMade:
    """A new token; what it is stands here and nowhere else."""

    id: str
    user: str
    role: str
    created_at: str
    token: str
