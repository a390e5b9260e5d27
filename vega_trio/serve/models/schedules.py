"""Schedules."""

from __future__ import annotations

import attrs


@attrs.frozen
class NewSchedule:
    """`cron` has five fields: minute, hour, day of month, month, day of week; in the server's time zone."""

    name: str
    cron: str
    agent: str
    message: str
    enabled: bool = True


@attrs.frozen
class ScheduleChange:
    """What is to change; `name` renames."""

    name: str | None = None
    cron: str | None = None
    agent: str | None = None
    message: str | None = None
    enabled: bool | None = None


@attrs.frozen(kw_only=True)
class ScheduleEntry:
    """A schedule. `next_at` is there while it is enabled; `session_id` is the conversation that it writes in."""

    name: str
    cron: str
    agent: str
    message: str
    enabled: bool
    next_at: str | None = None
    last_run_at: str | None = None
    last_error: str = ""
    session_id: str | None = None
