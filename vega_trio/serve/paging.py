"""Long lists in pages: bodies stay arrays, `Link: <..>; rel="next"` leads on (RFC 8288)."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TypeVar
from urllib.parse import urlencode

from quart import Request

from vega_trio.serve.desk import number_of
from vega_trio.serve.problems import Refused, bad_value

T = TypeVar("T")

PAGE = 100
LARGEST_PAGE = 500


def paged(request: Request, items: Sequence[T], key: Callable[[T], str]) -> tuple[Sequence[T], dict[str, str]]:
    """The page that the query asks for, and its headers. The cursor is the key of the last item already given.

    Items that are new at the front move nothing, so a walk gives each item once.

    Raises: Refused for a limit or cursor that cannot be.
    """
    limit = page_length(request)
    cursor = cursor_of(request)
    start = 0
    if cursor is not None:
        start = next((at for at, item in enumerate(items, 1) if key(item) == cursor), 0)
        if start == 0:
            raise nothing_at(cursor)
    page = items[start : start + limit]
    if start + limit >= len(items):
        return page, {}
    return page, next_page(request, key(page[-1]))


def cursor_of(request: Request) -> str | None:
    """Where the page begins; None: at the front."""
    return request.args.get("cursor") or None


def nothing_at(cursor: str) -> Refused:
    return bad_value("cursor", f"there is nothing at the cursor {cursor[:40]!r}", "begin without a cursor")


def cut(
    request: Request, items: Sequence[T], limit: int, key: Callable[[T], str]
) -> tuple[Sequence[T], dict[str, str]]:
    """A page and its headers out of one item more than it holds, if there is one."""
    page = items[:limit]
    return page, next_page(request, key(page[-1])) if len(items) > limit else {}


def page_length(request: Request) -> int:
    """How many items the query asks for. Raises: Refused."""
    return number_of(request, "limit", least=1, most=LARGEST_PAGE) or PAGE


def next_page(request: Request, cursor: str) -> dict[str, str]:
    """The header that leads on."""
    query = {**request.args.to_dict(), "cursor": cursor}
    return {"link": f'<{request.path}?{urlencode(query)}>; rel="next"'}
