"""Logging in and out, and the tokens of this server."""

from __future__ import annotations

from quart import Request, Response

from vega_trio.app.tokens import Tokens
from vega_trio.serve.desk import Desk, Route, body_of, exchange_of, json_answer, owners_only
from vega_trio.serve.door import cookie_of, unauthorized
from vega_trio.serve.models.access import Login, Me, NewToken, TokenEntry, TokenMade
from vega_trio.serve.models.common import Status
from vega_trio.serve.problems import Problem, Refused


async def login(desk: Desk, request: Request) -> Response:
    """Exchanges a token, or the code of the printed address, for a cookie."""
    body = await body_of(desk, request, Login)
    tokens = _tokens(desk)
    if (body.token is None) == (body.code is None):
        raise Refused(Problem(400, "bad_body", "give a token or a code", 'send {"token": "..."} or {"code": "..."}'))
    if body.code is not None:
        token = tokens.home if desk.door.take_code(body.code) else None
    else:
        token = tokens.find(body.token or "")
    if token is None:
        raise Refused(unauthorized(given=True))
    secret = await tokens.admit(token)
    shown = Me(user=token.user, role="viewer" if desk.door.read_only else token.role, mode=desk.door.mode)
    return json_answer(desk, shown, headers={"set-cookie": desk.door.set_cookie(secret)})


async def logout(desk: Desk, request: Request) -> Response:
    """Forgets this browser."""
    secret = cookie_of({"cookie": request.headers.get("cookie", "")}, desk.door.cookie)
    if secret is not None:
        await _tokens(desk).log_out(secret)
    return json_answer(desk, Status(status="logged out"), headers={"set-cookie": desk.door.clear_cookie()})


async def me(desk: Desk, request: Request) -> Response:
    """Who the credentials say that the caller is."""
    identity = exchange_of(request).identity
    return json_answer(desk, Me(user=identity.user, role=identity.role, mode=desk.door.mode))


async def every(desk: Desk, request: Request) -> Response:
    """The tokens, never what they are."""
    owners_only(request, "see and make tokens")
    return json_answer(desk, [TokenEntry(**token.shown()) for token in _tokens(desk).all()])


async def add(desk: Desk, request: Request) -> Response:
    """A new token; its secret is shown this once."""
    owners_only(request, "see and make tokens")
    body = await body_of(desk, request, NewToken)
    token, secret = await _tokens(desk).add(body.user, body.role)
    return json_answer(desk, TokenMade(**token.shown(), token=secret), 201)


async def revoke(desk: Desk, request: Request, token_id: str) -> Response:
    """Forgets a token, and the browsers that have logged in with it."""
    owners_only(request, "see and make tokens")
    await _tokens(desk).revoke(token_id)
    return json_answer(desk, Status(status="revoked"))


def _tokens(desk: Desk) -> Tokens:
    assert desk.door.tokens is not None
    return desk.door.tokens


ROUTES = (
    Route("POST", "/api/auth/login", login, body=Login, answer=Me),
    Route("POST", "/api/auth/logout", logout, answer=Status),
    Route("GET", "/api/auth/me", me, answer=Me),
    Route("GET", "/api/tokens", every, answer=list[TokenEntry]),
    Route("POST", "/api/tokens", add, body=NewToken, answer=TokenMade, status=201),
    Route("DELETE", "/api/tokens/<token_id>", revoke, answer=Status),
)
