"""Who asks: from a request's credentials to a user with a role.

    local    no credentials are asked for; whoever is on this machine is the operator
    token    a bearer token, or the cookie of a browser that has shown one, for all but what says so
    codes    the address printed at the start carries a one-time code instead of a token, good for ten minutes

A token is never in an address. `read_only` makes everybody a viewer.
"""

from __future__ import annotations

import hmac
import secrets
from collections.abc import Mapping
from http.cookies import CookieError, SimpleCookie
from typing import Literal

import attrs
import trio

from vega_trio.app.tokens import BROWSER_S, OPERATOR, USER_LENGTH, Role, Token, Tokens
from vega_trio.serve.guard import CHANGING, Head
from vega_trio.serve.problems import Problem

Mode = Literal["local", "token"]

CODE_S = 600.0
BEARER_PROTOCOL = "bearer."
FREE = frozenset({"/healthz", "/readyz", "/login", "/login.js", "/api/auth/login"})
"""What answers without credentials."""
ANY_ROLE = frozenset({"/api/auth/login", "/api/auth/logout"})
"""Changes that a viewer may make."""


@attrs.frozen
class Identity:
    """Who asks. `token` is None where no credentials are asked for."""

    user: str = OPERATOR
    role: Role = "owner"
    token: Token | None = attrs.field(default=None, repr=False)

    def sees_all(self) -> bool:
        """Whether the processes and runs of every user are this one's to see: the operator of the server."""
        return self.user == OPERATOR and self.role == "owner"


@attrs.define(eq=False)
class Door:
    """`port` tells the cookies of this server from those of another on the same machine."""

    mode: Mode = "local"
    tokens: Tokens | None = None
    port: int = 0
    read_only: bool = False
    trust_user_header: bool = False
    _codes: dict[str, float] = attrs.field(factory=dict, init=False, repr=False)

    def new_code(self) -> str:
        """A one-time code for the operator's browser."""
        code = secrets.token_urlsafe(32)
        self._codes[code] = trio.current_time() + CODE_S
        return code

    def take_code(self, code: str) -> bool:
        """Whether this is such a code, which it is no longer afterwards."""
        now = trio.current_time()
        for known, until in list(self._codes.items()):
            if until <= now:
                del self._codes[known]
            elif hmac.compare_digest(known.encode(), code.encode("utf-8", "replace")):
                del self._codes[known]
                return True
        return False

    def identify(self, head: Head) -> Identity | Problem:
        """Who asks; a problem when it has to be said and was not, or may not do this."""
        known = self._known(head)
        if known is None and self.mode == "token" and head.path not in FREE:
            return unauthorized(given=bool(_secrets(head, self.cookie)))
        identity = Identity() if known is None else known
        if self.read_only:
            identity = attrs.evolve(identity, role="viewer")
        if identity.role == "viewer" and head.method in CHANGING and head.path not in ANY_ROLE:
            return forbidden(read_only=self.read_only)
        return identity

    def _known(self, head: Head) -> Identity | None:
        if self.tokens is None:
            return None
        for secret in _secrets(head, self.cookie):
            token = self.tokens.find(secret)
            if token is not None:
                return Identity(self._user(head, token), token.role, token)
        return None

    def _user(self, head: Head, token: Token) -> str:
        """The token's user, or whom a proxy that has the operator's token vouches for."""
        named = head.headers.get("x-auth-user", "").strip()
        trusted = self.trust_user_header and token.role == "owner" and 0 < len(named) <= USER_LENGTH
        return named if trusted and named.isprintable() else token.user

    @property
    def cookie(self) -> str:
        return f"vega_{self.port}"

    def set_cookie(self, secret: str) -> str:
        """The header that has a browser keep the secret, out of reach of scripts and of other sites."""
        return f"{self.cookie}={secret}; Path=/; Max-Age={int(BROWSER_S)}; HttpOnly; SameSite=Strict"

    def clear_cookie(self) -> str:
        return f"{self.cookie}=; Path=/; Max-Age=0; HttpOnly; SameSite=Strict"


def unauthorized(*, given: bool) -> Problem:
    """The credentials are missing, or known to nobody."""
    text = "the token is not known here" if given else "this server wants a token"
    hint = "send Authorization: Bearer TOKEN (it lies in the home's file 'token'), or log in at /login"
    return Problem(401, "unauthorized", text, hint, challenge="Bearer")


def forbidden(*, read_only: bool) -> Problem:
    text = "the server is read-only" if read_only else "your role is viewer, which may look and not change"
    hint = "start it without --read-only" if read_only else "ask an owner, or use an owner's token"
    return Problem(403, "read_only", text, hint)


def cookie_of(headers: Mapping[str, str], name: str) -> str | None:
    """The value of a cookie; None too for a header that is none."""
    try:
        found = SimpleCookie(headers.get("cookie", "")).get(name)
    except CookieError:
        return None
    return found.value if found is not None and found.value else None


def _secrets(head: Head, cookie: str) -> list[str]:
    """What the request shows: a bearer token, a websocket's subprotocol, a cookie."""
    scheme, _, bearer = head.headers.get("authorization", "").partition(" ")
    found = [bearer.strip()] if scheme.lower() == "bearer" and bearer.strip() else []
    offered = [each.strip() for each in head.headers.get("sec-websocket-protocol", "").split(",")]
    found += [each.removeprefix(BEARER_PROTOCOL) for each in offered if each.startswith(BEARER_PROTOCOL)]
    kept = cookie_of(head.headers, cookie)
    return found if kept is None else [*found, kept]
