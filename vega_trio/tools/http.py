"""The tools http_get and http_post."""

from __future__ import annotations

from typing import Any

import msgspec

from vega_trio.errors import MissingExtra
from vega_trio.protocols import Tool
from vega_trio.tools.exchange import Outgoing, Page, Web, checked_headers, page_text
from vega_trio.tools.toolbox import as_tool, tool


async def fetch(web: Web, outgoing: Outgoing) -> Page:
    """One exchange, redirects followed. A cancel closes the connection.

    Raises: ToolError for whatever the network, the server or the guard has against it; MissingExtra without httpx.
    """
    try:
        from vega_trio.tools import transport  # httpx takes 0.2 s, and most programs fetch nothing
    except ModuleNotFoundError as error:
        raise MissingExtra("http", "fetching from the web") from error
    return await transport.fetch(web, outgoing)


def http_tools(web: Web) -> tuple[Tool, Tool]:
    """http_get and http_post."""

    @tool(effects=["network"], idempotent=True, chooses_destination=True)
    async def http_get(url: str, headers: dict[str, str] | None = None) -> str:
        """Fetches a web page or calls an HTTP API with GET, and gives the body of the answer.

        Args:
            url: The address, beginning with http:// or https://.
            headers: Request headers.
        """
        return page_text(await fetch(web, Outgoing(method="GET", url=url, headers=checked_headers(headers or {}))))

    @tool(effects=["network"], chooses_destination=True)
    async def http_post(
        url: str,
        body: str | dict | list | None = None,  # type: ignore[type-arg] # any: the schema is the shorter for it
        headers: dict[str, str] | None = None,
    ) -> str:
        """Sends data to an HTTP API with POST, and gives the body of the answer.

        Args:
            url: The address, beginning with http:// or https://.
            body: The data: an object or a list is sent as JSON, text as it is.
            headers: Request headers.
        """
        content, kind = _encoded(body)
        given = checked_headers(headers or {})
        if content is not None and "content-type" not in {name.lower() for name in given}:
            given["Content-Type"] = kind
        return page_text(await fetch(web, Outgoing(method="POST", url=url, headers=given, content=content)))

    return as_tool(http_get), as_tool(http_post)


def _encoded(body: Any) -> tuple[bytes | None, str]:
    if body is None:
        return None, ""
    if isinstance(body, str):
        return body.encode(), "application/json" if _is_json(body) else "text/plain; charset=utf-8"
    return msgspec.json.encode(body), "application/json"


def _is_json(text: str) -> bool:
    if not text.lstrip().startswith(("{", "[")):
        return False
    try:
        msgspec.json.decode(text)
    except msgspec.DecodeError:
        return False
    return True
