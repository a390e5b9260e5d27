"""web_search: a search provider's answer as titles, addresses and snippets."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any, Final
from urllib.parse import urlencode, urlsplit, urlunsplit

import attrs
import msgspec

from vega_trio.destinations import Allow, parse_allow
from vega_trio.errors import ConfigError, ToolError, ToolRetry
from vega_trio.protocols import Tool
from vega_trio.tools.exchange import Outgoing, Page, Web
from vega_trio.tools.http import fetch
from vega_trio.tools.toolbox import as_tool, tool

BRAVE_URL: Final = "https://api.search.brave.com/res/v1/web/search"
MAX_COUNT: Final = 20
NOT_SET_UP: Final = (
    "web search is not set up: set BRAVE_API_KEY to a key of the Brave Search API, "
    "or VEGA_SEARCH_URL to the address of a SearXNG server"
)


@attrs.frozen
class Hit:
    """One result of a search."""

    title: str
    url: str
    snippet: str


Search = Callable[[str, int], Awaitable[list[Hit]]]


def web_search_tool(
    *, brave_key: str | None = None, search_url: str | None = None, canned: bool = False, web: Web | None = None
) -> Tool:
    """The tool web_search, by the provider that is set up: `brave_key`, else `search_url`, else an error saying how.

    `canned` gives three fixed results instead, for the demo model. `search_url` is a SearXNG server's /search, or
    anything that answers `?q=..&format=json` alike; its host may be a private one, as it is the owner's choice.
    Raises: ConfigError for a `search_url` that is none.
    """
    search = canned_search if canned else _provider(brave_key, search_url, Web() if web is None else web)

    @tool(effects=["network"], idempotent=True)
    async def web_search(query: str, count: int = 10) -> str:
        """Searches the web and gives title, address and snippet of what it found.

        Args:
            query: What to look for.
            count: How many results to give at most.
        """
        if count < 1:
            raise ToolRetry("'count' must be at least 1")
        return _told((await search(query, min(count, MAX_COUNT)))[:count])

    return as_tool(web_search)


def _told(hits: list[Hit]) -> str:
    found = [f"{number}. {hit.title}\n   {hit.url}\n   {hit.snippet}" for number, hit in enumerate(hits, 1)]
    return "\n\n".join([f"Found {len(hits)} result{'' if len(hits) == 1 else 's'}", *found])


async def canned_search(query: str, count: int) -> list[Hit]:
    """Three results about `query` that anybody can see are made up."""
    subject = " ".join(query.split())[:80] or "nothing in particular"
    return [
        Hit(f"{subject}: an overview", "https://example.com/overview", f"What to know about {subject}, briefly."),
        Hit(f"{subject} in practice", "https://example.org/practice", f"Three teams tell how they use {subject}."),
        Hit(f"News about {subject}", "https://example.net/news", f"What changed around {subject}, week by week."),
    ][:count]


def _provider(brave_key: str | None, search_url: str | None, web: Web) -> Search:
    if brave_key:
        headers = {"X-Subscription-Token": brave_key, "Accept": "application/json"}
        return lambda query, count: _ask(web, BRAVE_URL, {"q": query, "count": str(count)}, headers)
    if search_url:
        own = attrs.evolve(web, allow=_with_host(web.allow, search_url))
        return lambda query, _: _ask(own, search_url, {"q": query, "format": "json"}, {"Accept": "application/json"})
    return _not_set_up


async def _not_set_up(query: str, count: int) -> list[Hit]:
    raise ToolError(NOT_SET_UP)


def _with_host(allow: Allow, url: str) -> Allow:
    try:
        parts = urlsplit(url)
        port = parts.port or (443 if parts.scheme == "https" else 80)
    except ValueError as error:  # a broken IPv6 address, a port that is none
        raise _no_address(url) from error
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise _no_address(url)
    host = f"[{parts.hostname}]" if ":" in parts.hostname else parts.hostname
    opened = parse_allow([f"{host}:{port}"])
    return Allow(allow.hosts | opened.hosts, allow.networks + opened.networks)


def _no_address(url: str) -> ConfigError:
    return ConfigError(f"VEGA_SEARCH_URL is {url!r}, which is no address; write such as http://localhost:8888/search")


async def _ask(web: Web, url: str, query: dict[str, str], headers: dict[str, str]) -> list[Hit]:
    parts = urlsplit(url)
    whole = urlunsplit(parts._replace(query="&".join(filter(None, (parts.query, urlencode(query))))))
    page = await fetch(web, Outgoing(method="GET", url=whole, headers=headers))
    if page.status >= 400:
        raise ToolError(f"the search provider at {parts.netloc} answered HTTP {page.status} {page.reason}")
    return _hits(page, parts.netloc)


def _hits(page: Page, provider: str) -> list[Hit]:
    """Brave's `web.results[].{title,url,description}` or SearXNG's `results[].{title,url,content}`."""
    try:
        answer = msgspec.json.decode(page.body)
    except msgspec.DecodeError as error:
        raise ToolError(f"the search provider at {provider} did not answer with JSON") from error
    found = _field(_field(answer, "web"), "results") or _field(answer, "results") or []
    if not isinstance(found, list):
        raise ToolError(f"the search provider at {provider} did not answer with a list of results")
    return [
        Hit(_line(each, "title"), _line(each, "url"), _line(each, "description") or _line(each, "content"))
        for each in found
        if isinstance(each, dict)
    ]


def _field(value: Any, name: str) -> Any:
    return value.get(name) if isinstance(value, dict) else None


def _line(value: dict[str, Any], name: str) -> str:
    text = value.get(name)
    return " ".join(text.split()) if isinstance(text, str) else ""
