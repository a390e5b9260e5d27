"""Who may speak to the server, decided from a request's head alone and before any routing. Pure.

A web page in the user's browser is the attacker here: it can reach loopback, under a name of its choice (DNS
rebinding: the Host is then foreign) or from its own origin (CSRF: Origin and Sec-Fetch-Site say so, or the body is a
form). None of this is about credentials: those are the door's affair (`door.py`).
"""

from __future__ import annotations

from collections.abc import Iterable
from urllib.parse import urlsplit

import attrs

from vega_trio.errors import ConfigError
from vega_trio.serve.problems import Problem

LOOPBACK_NAMES = ("localhost", "127.0.0.1", "[::1]")
CHANGING = frozenset({"POST", "PUT", "PATCH", "DELETE"})
MAX_HEAD = 16 * 1024
MCP_PATHS = ("/mcp", "/mcp/")
CURL_HINT = "send JSON: curl -X POST URL -H 'Content-Type: application/json' -d '{\"message\": \"...\"}'"


@attrs.frozen(kw_only=True)
class Policy:
    """Whom to serve. `hosts` are the allowed values of Host, in lower case; one without a port allows any port."""

    port: int
    hosts: frozenset[str]
    origins: frozenset[str]
    max_body: int

    def allows_host(self, host: str) -> bool:
        return host in self.hosts or _without_port(host) in self.hosts


@attrs.frozen(kw_only=True)
class Head:
    """The part of a request that is judged. Header names are lower case; `size` is in bytes; `query` as it came."""

    method: str
    path: str
    headers: dict[str, str]
    size: int = 0
    query: str = ""

    @property
    def api(self) -> bool:
        return self.path == "/api" or self.path.startswith("/api/") or self.mcp

    @property
    def mcp(self) -> bool:
        return self.path in MCP_PATHS


def open_policy(
    port: int, allow_hosts: Iterable[str], allow_origins: Iterable[str], max_body: int, *, bound: str | None = None
) -> Policy:
    """The policy of a server on loopback, and on the address `bound` if it listens there.

    Raises: ConfigError naming a host or origin that cannot be one.
    """
    hosts = {f"{name}:{port}" for name in (*LOOPBACK_NAMES, *([bound] if bound is not None else []))}
    if port == 80:
        hosts |= set(LOOPBACK_NAMES)  # what clients leave out of the Host header
    hosts |= {_checked_host(host) for host in allow_hosts}
    origins = frozenset(_checked_origin(origin) for origin in allow_origins)
    return Policy(port=port, hosts=frozenset(hosts), origins=origins, max_body=max_body)


def judge(head: Head, policy: Policy) -> Problem | None:
    """Why the request is refused, or None."""
    return _judge_size(head) or _judge_host(head, policy) or _judge_origin(head, policy) or _judge_body(head, policy)


def allowed_origin(head: Head, policy: Policy) -> str | None:
    """The foreign origin that may read the answer, None for requests that come from no page or from our own."""
    origin = head.headers.get("origin", "").lower()
    return origin if origin in policy.origins else None


def is_preflight(head: Head, policy: Policy) -> bool:
    """Whether a browser asks in advance for an allowed foreign origin (Fetch, CORS-preflight)."""
    asked = head.method == "OPTIONS" and "access-control-request-method" in head.headers
    return asked and allowed_origin(head, policy) is not None


def _judge_size(head: Head) -> Problem | None:
    """The server library counts only what is still incomplete, so a head that comes in one piece is counted here."""
    if head.size > MAX_HEAD:
        text = f"the request's head has {head.size} bytes, and {MAX_HEAD} are allowed"
        return Problem(431, "head_too_large", text, "send fewer or shorter headers")
    # Routing folds slashes, so a path with two in a row would be judged as one thing and answered as another.
    if head.path.startswith("/") and "//" not in head.path:
        return None
    return Problem(400, "bad_target", f"{head.path[:100]!r} is no path", "ask for a path with single slashes")


def _judge_host(head: Head, policy: Policy) -> Problem | None:
    host = head.headers.get("host", "").lower()
    if policy.allows_host(host):
        return None
    hint = f"use http://localhost:{policy.port}, or start the server with --allow-host {_without_port(host) or 'NAME'}"
    return Problem(421, "wrong_host", f"this server does not answer for the host {host[:100]!r}", hint)


def _judge_origin(head: Head, policy: Policy) -> Problem | None:
    """Pages of other origins may be followed to a page of ours by a link, and nothing else."""
    if not (head.api or head.method in CHANGING) or allowed_origin(head, policy) is not None:
        return None
    origin, site = head.headers.get("origin"), head.headers.get("sec-fetch-site", "none")
    if origin is not None and not _same_origin(origin.lower(), head.headers.get("host", "").lower()):
        hint = "open the dashboard itself, or start the server with --allow-origin URL"
        return Problem(403, "foreign_origin", f"the origin {origin[:100]!r} may not use this server", hint)
    if site not in ("same-origin", "none"):
        hint = "open the dashboard itself, or start the server with --allow-origin URL"
        return Problem(403, "foreign_origin", f"a {site[:20]} page may not use this server", hint)
    return None


def _judge_body(head: Head, policy: Policy) -> Problem | None:
    if not head.api or head.method not in CHANGING:
        return None
    length = head.headers.get("content-length", "0")
    if not (length.isascii() and length.isdigit()):
        return Problem(400, "bad_length", f"Content-Length {length[:40]!r} is no number", "let the client count")
    if int(length) > policy.max_body:
        return too_large(policy)
    kind = head.headers.get("content-type", "")
    has_body = length != "0" or "transfer-encoding" in head.headers
    if (kind or has_body) and kind.split(";")[0].strip().lower() != "application/json":
        return Problem(415, "not_json", f"the body is {kind[:100] or 'of no type'!r}, not application/json", CURL_HINT)
    return None


def too_large(policy: Policy) -> Problem:
    return Problem(413, "too_large", f"the body has more than {policy.max_body} bytes", "send less")


def _same_origin(origin: str, host: str) -> bool:
    """Host was checked before, so an origin that names it is our own page, also behind a proxy that adds TLS."""
    return origin in (f"http://{host}", f"https://{host}")


def _without_port(host: str) -> str:
    name, colon, port = host.rpartition(":")
    return name if colon and port.isdigit() else host


def _checked_host(host: str) -> str:
    parts = urlsplit(f"//{host}")
    if not host or parts.netloc != host or "@" in host or "*" in host or not parts.hostname:
        raise ConfigError(f"--allow-host {host!r} is no host name; write it as in the address bar: vega.example.com")
    return host.lower()


def _checked_origin(origin: str) -> str:
    parts = urlsplit(origin)
    plain = parts.scheme in ("http", "https") and parts.netloc and "*" not in origin and "@" not in origin
    if not plain or origin.lower() != f"{parts.scheme}://{parts.netloc}".lower():
        raise ConfigError(f"--allow-origin {origin!r} is no origin; write scheme and host: https://app.example.com")
    return origin.lower()
