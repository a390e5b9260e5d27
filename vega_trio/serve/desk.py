"""What every handler is given, and how a handler reads its request and writes its answer."""

from __future__ import annotations

import math
from collections.abc import Awaitable, Callable, Mapping
from datetime import datetime
from typing import Any, TypeVar, cast

import attrs
import trio
from cattrs import Converter
from quart import Request, Response

from vega_trio._core.codec import decode_json
from vega_trio._core.wire import rfc3339
from vega_trio.app.application import App
from vega_trio.app.tokens import OPERATOR
from vega_trio.serve.assets import Bundle
from vega_trio.serve.convert import open_converter, read
from vega_trio.serve.door import Door
from vega_trio.serve.exchange import SCOPE_KEY, Exchange
from vega_trio.serve.problems import Problem, Refused, bad_value
from vega_trio.serve.rates import Rate
from vega_trio.serve.ring import EventRing
from vega_trio.serve.sse import to_json
from vega_trio.serve.turns import TurnLogs

T = TypeVar("T")

KIB = 1024


@attrs.frozen
class Limits:
    """What `settings.limits` may change. `body` and `message` in bytes; `connections` and `requests_per_s` are of one
    address, `turns_per_min` of one user."""

    body: int = 1024 * KIB
    message: int = 256 * KIB
    subscribers: int = 1000
    websockets: int = 200
    connections: int = 256
    requests_per_s: int = 100
    turns_per_min: int = 60


def limits_of(settings: Mapping[str, float]) -> Limits:
    """Those of `settings.limits`, which may name limits of others too."""
    known = {field.name for field in attrs.fields(Limits)}
    return Limits(**{name: int(value) for name, value in settings.items() if name in known})


@attrs.frozen(eq=False)
class Renewal:
    """Has the server stop and start with an empty database once `asked` is set.

    `check` raises DocumentError or ConfigError when it could not start. It reads files.
    """

    check: Callable[[], object]
    asked: trio.Event = attrs.field(factory=trio.Event)


@attrs.frozen(eq=False)
class Desk:
    """The server's own state. `renewal` is None where it cannot start anew."""

    app: App
    ring: EventRing
    turns: TurnLogs
    limits: Limits
    bundle: Bundle
    stopping: trio.Event
    drained: trio.Event
    door: Door = attrs.field(factory=Door)
    routes: tuple[Route, ...] = ()
    renewal: Renewal | None = None
    turn_rate: Rate = attrs.field(init=False)
    converter: Converter = attrs.field(factory=open_converter)

    @turn_rate.default
    def _turn_rate(self) -> Rate:
        per_min = self.limits.turns_per_min
        return Rate(per_min / 60, per_min)

    def count_turn(self, user: str) -> None:
        """Raises: Refused when the user has begun too many turns within a minute."""
        wait = self.turn_rate.take(user, trio.current_time())
        if wait:
            text = f"{user!r} has begun {self.limits.turns_per_min} turns within a minute, the most that are allowed"
            hint = "wait, or raise settings.limits.turns_per_min"
            raise Refused(Problem(429, "too_many_turns", text, hint, retry_after_s=math.ceil(wait)))


Handler = Callable[..., Awaitable[Response]]


@attrs.frozen
class Route:
    """One route. The handler gets the desk, the request and the path's variables by name.

    The rest is for the API's description: what is sent and answered, what the answer has besides, which names a query
    may have, and whether the answer is a stream of events.
    """

    method: str
    path: str
    handler: Handler
    body: Any = attrs.field(default=None, kw_only=True)
    answer: Any = attrs.field(default=None, kw_only=True)
    also: Any = attrs.field(default=None, kw_only=True)
    query: tuple[str, ...] = attrs.field(default=(), kw_only=True)
    status: int = attrs.field(default=200, kw_only=True)
    stream: bool = attrs.field(default=False, kw_only=True)

    @property
    def summary(self) -> str:
        """What it does, in a line."""
        return (self.handler.__doc__ or "").strip().split("\n")[0].rstrip(".")


def exchange_of(request: Request) -> Exchange:
    """The request's exchange, which the reception put beside it."""
    exchange: Exchange = cast("dict[str, Any]", request.scope)[SCOPE_KEY]
    return exchange


def user_of(request: Request) -> str:
    """Who asks."""
    return exchange_of(request).user


def owners_only(request: Request, what: str) -> None:
    """Raises: Refused for who is no owner. `what` is what owners may do."""
    if exchange_of(request).identity.role != "owner":
        raise Refused(Problem(403, "owner_only", f"only an owner may {what}", "use an owner's token"))


def operators_only(request: Request, what: str) -> None:
    """Raises: Refused for everybody but the operator, whose the server's files and settings are."""
    if user_of(request) != OPERATOR:
        raise Refused(Problem(403, "operator_only", f"only the operator may {what}", "use the operator's token"))


async def body_of(desk: Desk, request: Request, kind: type[T]) -> T:
    """The request's body. Raises: Refused."""
    return read(desk.converter, await json_of(request), kind)


async def json_of(request: Request) -> Any:
    """The body as a JSON value. Raises: Refused."""
    data = await request.get_data()
    try:
        return decode_json(data)
    except ValueError as error:
        hint = 'send JSON, such as {"message": "..."}'
        raise Refused(Problem(400, "bad_json", f"the body is {error}", hint)) from error


async def object_of(desk: Desk, request: Request) -> dict[str, Any]:
    """The body as a JSON object whose keys the handler reads by itself. Raises: Refused."""
    value = await json_of(request)
    if not isinstance(value, dict):
        raise Refused(Problem(400, "bad_body", "the body is no object", 'send {"name": "...", ...}'))
    return value


def number_of(request: Request, name: str, *, least: int, most: int) -> int | None:
    """A whole number in the query, None when it is not there. Raises: Refused."""
    text = request.args.get(name)
    if text is None:
        return None
    if not (text.isascii() and text.isdigit() and len(text) <= 18 and least <= int(text) <= most):
        raise bad_value(name, f"{name!r} must be a whole number from {least} to {most}, not {text[:40]!r}")
    return int(text)


def time_of(request: Request, name: str, default: float) -> float:
    """A time of the query in Unix seconds. Raises: Refused."""
    text = request.args.get(name)
    if not text:
        return default
    try:
        at = datetime.fromisoformat(text)
        if at.tzinfo is None:
            raise ValueError("it has no time zone")
        rfc3339(at.timestamp())
        return at.timestamp()
    except (ValueError, OverflowError) as error:
        hint = f"write {name}=2026-11-22T10:15:30Z"
        raise bad_value(name, f"{name!r} must be an RFC 3339 time, not {text[:40]!r}: {error}", hint) from error


def flag_of(request: Request, name: str) -> bool:
    """Whether the query says `NAME=true`. Raises: Refused for a word that is neither true nor false."""
    text = request.args.get(name, "false")
    if text not in ("true", "false"):
        raise bad_value(name, f"{name!r} must be true or false, not {text[:40]!r}")
    return text == "true"


def json_answer(desk: Desk, value: object, status: int = 200, headers: Mapping[str, str] | None = None) -> Response:
    """The answer in its shape, as compact JSON."""
    return plain_answer(desk.converter.unstructure(value), status, headers)


def plain_answer(value: object, status: int = 200, headers: Mapping[str, str] | None = None) -> Response:
    """A JSON value as an answer."""
    return Response(to_json(value), status, dict(headers or {}), content_type="application/json")
