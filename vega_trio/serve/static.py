"""The web page and its files."""

from __future__ import annotations

import secrets

from quart import Request, Response

from vega_trio.serve.assets import NONCE_MARK, Bundle
from vega_trio.serve.desk import Desk, Route

PAGES = (
    *("overview", "processes", "tree", "events", "agents", "mcp"),
    *("workflows", "costs", "approvals", "schedules", "files", "settings"),
)
"""The page's own addresses; each may have more behind it, as /processes/ID."""

CSP = (
    "default-src 'self'; style-src 'self' 'nonce-{nonce}'; img-src 'self' data:; "
    "frame-ancestors 'none'; base-uri 'none'; form-action 'self'"
)
NO_BUNDLE = """<!doctype html>
<html lang="en"><meta charset="utf-8"><title>vega</title>
<h1>The web page is not built</h1>
<p>The API answers as usual: <a href="/api/agents">/api/agents</a>.</p>
<p>To build the page, run <code>make web</code> in the source tree (it brings its own Node), or install a released
wheel, which carries the page. Then restart the server.</p>
</html>
"""


async def page(desk: Desk, request: Request, rest: str = "") -> Response:
    """The one page that is all pages: its script reads the address."""
    nonce = secrets.token_urlsafe(16)
    if desk.bundle.page is None:
        return html_answer(NO_BUNDLE.encode(), nonce)
    return html_answer(desk.bundle.page.replace(NONCE_MARK, nonce.encode()), nonce)


async def file(desk: Desk, request: Request) -> Response:
    """A file that belongs to the page."""
    asset = desk.bundle.files[request.path]
    keep = "public, max-age=31536000, immutable" if asset.lasting else "no-cache"
    return Response(asset.body, 200, {"cache-control": keep}, content_type=asset.content_type)


def html_answer(body: bytes, nonce: str) -> Response:
    """A page whose styles carry the nonce."""
    headers = {"content-security-policy": CSP.format(nonce=nonce)}
    return Response(body, 200, headers, content_type="text/html; charset=utf-8")


def routes(bundle: Bundle) -> list[Route]:
    """One route for each file and each of the page's addresses: no path is ever looked up on the disk."""
    pages = ["/", *(f"/{name}" for name in PAGES), *(f"/{name}/<path:rest>" for name in PAGES)]
    return [Route("GET", path, page) for path in pages] + [Route("GET", path, file) for path in bundle.files]
