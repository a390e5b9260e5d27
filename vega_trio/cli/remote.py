"""A running server, as a command sees it: where it is, who asks, and what its refusals mean on the command line.

Synchronous: a command asks, prints and ends, and Ctrl-C ends it at once wherever it waits.
"""

from __future__ import annotations

import ipaddress
import json
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlsplit

import attrs
import click

from vega_trio._core.sse import ServerSentEvent, SseDecoder
from vega_trio.cli.config import Setup, open_setup
from vega_trio.cli.failure import NO_SERVER, Failure, usage
from vega_trio.cli.options import Shared
from vega_trio.errors import MissingExtra

DEFAULT_PORT = 3001
DEFAULT_URL = f"http://127.0.0.1:{DEFAULT_PORT}"
CONNECT_S = 5.0
PAGE = 500
READ_S = 60.0  # the event stream has a heartbeat every 15 s

_ERRNO = re.compile(r"^\[Errno -?[0-9]+\] ")

Query = Mapping[str, str | int | float | bool]


@attrs.frozen(kw_only=True)
class Remote:
    """A server at `base`, an origin. `token` goes along as the caller's credentials, if there is one."""

    base: str
    token: str | None = attrs.field(default=None, repr=False)

    def get(self, path: str, **query: str | int | float | bool) -> Any:
        """What a GET answers, decoded. Raises: Failure."""
        return self.call("GET", path, query=query)

    def pages(self, path: str, key: str, **query: str | int | float | bool) -> Iterator[Any]:
        """All items of a list in pages; `key` is the field whose value leads on. Raises: Failure."""
        found = self.get(path, limit=PAGE, **query)
        while found:
            yield from found
            found = self.get(path, limit=PAGE, cursor=found[-1][key], **query) if len(found) == PAGE else []

    def post(self, path: str, body: object = None, **query: str | int | float | bool) -> Any:
        """What a POST of a JSON value answers, decoded. Raises: Failure."""
        return self.call("POST", path, body={} if body is None else body, query=query)

    def delete(self, path: str, **query: str | int | float | bool) -> Any:
        """What a DELETE answers, decoded. Raises: Failure."""
        return self.call("DELETE", path, query=query)

    def call(self, method: str, path: str, *, body: object = None, query: Query | None = None) -> Any:
        """The decoded JSON of the answer, None when it is empty.

        Raises: Failure, with exit code 6 when no vega server answers, 1 when it refuses.
        """
        httpx = _httpx()
        try:
            with self._client(httpx) as client:
                answer = client.request(method, path, json=body, params=_texts(query))
        except httpx.HTTPError as error:
            raise self._absent(error) from error
        return self._read(answer)

    def events(self, path: str, *, after: str | None = None, query: Query | None = None) -> Iterator[ServerSentEvent]:
        """The events of a stream until the server ends it; `after` is the last id that the caller has.

        Raises: Failure, as `call`.
        """
        httpx = _httpx()
        headers = {"Last-Event-ID": after} if after is not None else {}
        try:
            with (
                self._client(httpx) as client,
                client.stream("GET", path, params=_texts(query), headers=headers) as answer,
            ):
                if answer.status_code != 200:
                    answer.read()
                    self._read(answer)
                    return
                decoder = SseDecoder()
                for chunk in answer.iter_bytes():
                    yield from decoder.feed(chunk)
        except httpx.HTTPError as error:
            raise self._absent(error) from error

    def _client(self, httpx: Any) -> Any:
        headers = {"Authorization": f"Bearer {self.token}"} if self.token else {}
        timeout = httpx.Timeout(READ_S, connect=CONNECT_S)
        return httpx.Client(base_url=self.base, headers=headers, timeout=timeout, trust_env=False)

    def _absent(self, error: Exception) -> Failure:
        why = f": {_ERRNO.sub('', str(error))}" if str(error) else ""
        hint = "start one with vega serve, or say where it is with --url or VEGA_URL"
        return Failure(f"no vega server answers at {self.base}{why}", hint, NO_SERVER)

    def _read(self, answer: Any) -> Any:
        if not answer.content:
            return None
        try:
            value = json.loads(answer.content)
        except ValueError as error:
            what = f"{self.base} answered {answer.status_code} and no JSON"
            raise Failure(what, "is that a vega server? Name another with --url", NO_SERVER) from error
        if answer.status_code < 400:
            return value
        told = value if isinstance(value, dict) else {}
        if answer.status_code == 401:
            raise Failure(str(told.get("error", "the server wants a token")), "set VEGA_TOKEN to the server's token")
        what = str(told.get("error", f"the server answered {answer.status_code}"))
        raise Failure(what, str(told.get("hint", "")))


def open_remote(setup: Setup, url: str | None) -> Remote:
    """The server that `--url`, VEGA_URL or the configured address names, by default the one on this machine.

    The token is VEGA_TOKEN, else the one in the home; that one is for this machine's server and goes nowhere else.

    Raises: Failure for what is no address of a server.
    """
    given = url or setup.env.get("VEGA_URL")
    base = _origin(given) if given else _local(setup.config.addr)
    token = setup.env.get("VEGA_TOKEN") or (_home_token(setup.home) if _is_loopback(base) else None)
    return Remote(base=base, token=token)


def remote_of(ctx: click.Context) -> Remote:
    """The server that a command asks. Raises: Failure."""
    shared = Shared(ctx)
    return open_remote(open_setup(shared.home), shared.url)


def path_of(*parts: str) -> str:
    """An address of the API from its parts, whatever characters are in them."""
    return "/api/" + "/".join(quote(part, safe="") for part in parts)


def _origin(url: str) -> str:
    parts = urlsplit(url if "://" in url else f"http://{url}")
    plain = parts.scheme in ("http", "https") and parts.hostname and parts.path in ("", "/")
    if not plain or parts.query or parts.fragment or "@" in parts.netloc:
        raise usage(f"--url {url!r} is no server's address", f"write for example {DEFAULT_URL}")
    return f"{parts.scheme}://{parts.netloc}"


def _local(addr: str | None) -> str:
    """The address that `vega serve` would listen on."""
    if addr is None:
        return DEFAULT_URL
    host, _, port = addr.rpartition(":")
    return f"http://{host or '127.0.0.1'}:{port}"


def _is_loopback(base: str) -> bool:
    host = urlsplit(base).hostname or ""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def _home_token(home: Path) -> str | None:
    try:
        return (home / "token").read_text(encoding="ascii").strip() or None
    except FileNotFoundError:
        return None
    except (OSError, UnicodeDecodeError) as error:
        raise Failure(f"{home / 'token'} cannot be read: {error}", "set VEGA_TOKEN to the server's token") from error


def _texts(query: Query | None) -> dict[str, str]:
    return {key: str(value).lower() if isinstance(value, bool) else str(value) for key, value in (query or {}).items()}


def _httpx() -> Any:
    try:
        import httpx  # 0.2 s, and only these commands need it
    except ModuleNotFoundError as error:
        raise MissingExtra("cli", "asking a server") from error
    return httpx
