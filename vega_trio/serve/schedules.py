"""Schedules: messages that are sent to agents at their time. Everybody has his own."""

from __future__ import annotations

import attrs
from quart import Request, Response

from vega_trio._core.wire import rfc3339
from vega_trio.app.schedules import Schedule
from vega_trio.serve.chat import check_length
from vega_trio.serve.desk import Desk, Route, body_of, json_answer, user_of
from vega_trio.serve.models.common import Status
from vega_trio.serve.models.schedules import NewSchedule, ScheduleChange, ScheduleEntry


async def every(desk: Desk, request: Request) -> Response:
    """The caller's, in the order in which they were made."""
    return json_answer(desk, [_entry(desk, each) for each in desk.app.schedules.all(user_of(request))])


async def create(desk: Desk, request: Request) -> Response:
    """Has a message sent to an agent whenever the cron expression says so."""
    body = await body_of(desk, request, NewSchedule)
    check_length(desk, body.message)
    made = await desk.app.schedules.create(Schedule(user=user_of(request), **attrs.asdict(body)))
    return json_answer(desk, _entry(desk, made), 201)


async def update(desk: Desk, request: Request, name: str) -> Response:
    """Changes what is given; its time is counted from now on."""
    body = await body_of(desk, request, ScheduleChange)
    check_length(desk, body.message or "")
    given = {key: value for key, value in attrs.asdict(body).items() if value is not None}
    return json_answer(desk, _entry(desk, await desk.app.schedules.change(user_of(request), name, **given)))


async def delete(desk: Desk, request: Request, name: str) -> Response:
    """Ends a schedule; its conversation stays."""
    await desk.app.schedules.delete(user_of(request), name)
    return json_answer(desk, Status(status="deleted"))


def _entry(desk: Desk, schedule: Schedule) -> ScheduleEntry:
    next_at = desk.app.schedules.next_at(schedule)
    return ScheduleEntry(
        name=schedule.name,
        cron=schedule.cron,
        agent=schedule.agent,
        message=schedule.message,
        enabled=schedule.enabled,
        next_at=None if next_at is None else rfc3339(next_at),
        last_run_at=None if schedule.last_run_at is None else rfc3339(schedule.last_run_at),
        last_error=schedule.last_error,
        session_id=schedule.session,
    )


ROUTES = (
    Route("GET", "/api/schedules", every, answer=list[ScheduleEntry]),
    Route("POST", "/api/schedules", create, body=NewSchedule, answer=ScheduleEntry, status=201),
    Route("PUT", "/api/schedules/<name>", update, body=ScheduleChange, answer=ScheduleEntry),
    Route("DELETE", "/api/schedules/<name>", delete, answer=Status),
)
