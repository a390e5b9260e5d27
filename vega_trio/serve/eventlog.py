"""The events of the past, in pages, the newest first."""

from __future__ import annotations

import attrs
from quart import Request, Response

from vega_trio.protocols import Store, StoredEvent
from vega_trio.serve.desk import Desk, Route, number_of, time_of
from vega_trio.serve.events import LARGEST_ID, EventFilter, event_filter, hearing_of
from vega_trio.serve.models.figures import EventEntry
from vega_trio.serve.paging import next_page, page_length

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
    span = Span(time_of(request, "since", float("-inf")), time_of(request, "until", float("inf")))
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


ROUTES = (
    Route(
        "GET",
        "/api/events/log",
        read,
        answer=list[EventEntry],
        query=("type", "process_id", "agent", "since", "until", "limit", "cursor"),
    ),
)
