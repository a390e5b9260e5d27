"""The events of the past, in pages, the newest first."""

from __future__ import annotations

from datetime import datetime

import attrs
from quart import Request, Response

from vega_trio._core.wire import rfc3339
from vega_trio.protocols import Store, StoredEvent
from vega_trio.serve.desk import Desk, Route, number_of
from vega_trio.serve.events import LARGEST_ID, EventFilter, event_filter, hearing_of
from vega_trio.serve.paging import next_page, page_length
from vega_trio.serve.problems import bad_value

BATCH = 500
MOST_READ = 20_000  # events looked at for one page; a page of a rare kind may be short and still lead on


@attrs.frozen
class Span:
    """From `since` on and before `until`, in Unix seconds."""

    since: float
    until: float

    def holds(self, event: StoredEvent) -> bool:
        return self.since <= event.at < self.until


@attrs.frozen
class Page:
    """`before` is the cursor of the next page; None when there is none."""

    events: list[StoredEvent]
    before: int | None


async def read(desk: Desk, request: Request) -> Response:
    """A page of stored events. `since` and `until` are RFC 3339 times."""
    query = request.args
    process_id, agent = query.get("process_id") or None, query.get("agent") or None
    wanted = event_filter(query.get("type", ""), process_id, agent, field="type")
    wanted = attrs.evolve(wanted, hearing=await hearing_of(desk, request))
    span = Span(_time(request, "since", float("-inf")), _time(request, "until", float("inf")))
    limit = page_length(request)
    before = number_of(request, "cursor", least=1, most=LARGEST_ID)
    page = await _page(desk.app.store, wanted, span, limit, before)
    headers = {} if page.before is None else next_page(request, str(page.before))
    body = b"[" + b",".join(b'{"id":%d,' % each.id + each.body[1:] for each in page.events) + b"]"
    return Response(body, 200, headers, content_type="application/json")


async def _page(store: Store, wanted: EventFilter, span: Span, limit: int, before: int | None) -> Page:
    """Walks backwards, batch by batch, from event `before` on."""
    oldest = await store.events_after(0, limit=1)
    end = before or await store.last_event_id() + 1
    found: list[StoredEvent] = []
    stop = max(oldest[0].id if oldest else end, end - MOST_READ)
    while end > stop:
        first = max(stop, end - BATCH)
        rows = [each for each in await store.events_after(first - 1, limit=BATCH) if each.id < end]
        for event in reversed(rows):
            if wanted.wants(event) and span.holds(event):
                found.append(event)
            if len(found) == limit:
                return Page(found, event.id if event.id > oldest[0].id else None)
        end = first
        if rows and rows[-1].at < span.since:
            return Page(found, None)
    return Page(found, end if oldest and end > oldest[0].id else None)


def _time(request: Request, name: str, default: float) -> float:
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


ROUTES = (Route("GET", "/api/events/log", read),)
