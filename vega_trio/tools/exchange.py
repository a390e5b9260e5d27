"""An HTTP exchange as values: what is asked, what came back, and how much of the world may take part."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Final

import attrs

from vega_trio._core.capping import cap
from vega_trio.destinations import Allow
from vega_trio.errors import ToolError, ToolRetry
from vega_trio.headers import HEADER_NAME, breaks_line
from vega_trio.tools.guard import Resolve, resolve_host

MAX_READ: Final = 10 * 1024 * 1024
MAX_REDIRECTS: Final = 5

_OURS: Final = frozenset({"host", "content-length", "transfer-encoding", "connection", "upgrade", "te", "trailer"})
_CHARSET: Final = re.compile(r"charset=[\"']?([\w.:-]+)", re.IGNORECASE)


class Unreachable(ToolError):
    """The network or the server failed; another attempt may fare better."""


@attrs.frozen(kw_only=True)
class Outgoing:
    """A request. Header values hold no line break: they come through `checked_headers`.

    `label` is what messages call it: the URL, unless that may hold a secret.
    """

    method: str
    url: str
    headers: Mapping[str, str] = attrs.field(factory=dict)
    content: bytes | None = attrs.field(default=None, repr=False)
    label: str = attrs.field(default=attrs.Factory(lambda self: self.url, takes_self=True))


@attrs.frozen(kw_only=True)
class Page:
    """What came back, after redirects. `complete` is false when the body is longer than was read."""

    status: int
    reason: str
    label: str
    content_type: str
    body: bytes
    complete: bool


@attrs.frozen(kw_only=True)
class Web:
    """What HTTP tools may reach, and how much they take from it."""

    allow: Allow = attrs.field(factory=Allow)
    resolve: Resolve = resolve_host
    max_read: int = MAX_READ
    max_redirects: int = MAX_REDIRECTS


def checked_headers(headers: Mapping[str, str]) -> dict[str, str]:
    """Raises: ToolRetry for a header that could smuggle in another, or that belongs to the connection."""
    for name, value in headers.items():
        if not HEADER_NAME.fullmatch(name):
            raise ToolRetry(f"{name!r} is not a header name")
        if name.lower() in _OURS:
            raise ToolRetry(f"the header {name!r} cannot be set by a tool")
        if breaks_line(value):
            raise ToolRetry(f"the header {name!r} may not hold a line break")
    return dict(headers)


def page_text(page: Page) -> str:
    """The body for the model. Raises: ToolError, with the body, for a status of 400 and above."""
    text = cap(_shown(page))
    if page.status >= 400:
        raise ToolError(f"HTTP {page.status} {page.reason} from {page.label}\n{text}".rstrip())
    return text


def _shown(page: Page) -> str:
    if b"\0" in page.body[:4096]:
        kind = page.content_type.partition(";")[0] or "unknown type"
        return f"[{len(page.body):,} bytes of binary data, {kind}]"
    text = _text(page.body, page.content_type)
    return text if page.complete else f"{text}\n[the answer is longer; its first {len(page.body):,} bytes were read]"


def _text(body: bytes, content_type: str) -> str:
    match = _CHARSET.search(content_type)
    try:
        return body.decode(match[1] if match else "utf-8", "replace")
    except (LookupError, ValueError):  # no such charset, or one that is none for text
        return body.decode("utf-8", "replace")
