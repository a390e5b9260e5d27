"""Cron expressions: five fields, as Debian's cron reads them, summer time included."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import UTC, datetime, tzinfo
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from vega_trio.errors import InputError, MissingExtra

LENGTH = 200
_SHAPE = re.compile(r"[0-9A-Za-z*/,#-]+( +[0-9A-Za-z*/,#-]+){4}")
_LOCALTIME = Path("/etc/localtime")


def check_cron(cron: str, zone: tzinfo, now: float) -> None:
    """Raises: InputError for what is no expression, or for one whose time never comes; MissingExtra."""
    example = 'such as "0 9 * * MON-FRI": minute, hour, day of month, month, day of week'
    if len(cron) > LENGTH or not _SHAPE.fullmatch(cron):
        raise InputError(f"'cron' must be five fields, {example}; not {cron[:60]!r}", "bad_value", "cron")
    try:
        next_time(cron, now, zone)
    except (_error(), ValueError, AssertionError) as error:  # the last for weekdays such as MON#2/2
        text = f"'cron' must be five fields that come true, {example}; not {cron[:60]!r}: {error}"
        raise InputError(text, "bad_value", "cron") from error


def next_time(cron: str, after: float, zone: tzinfo) -> float:
    """The first time that comes after one; both are Unix seconds. Raises: ValueError when there is none in 50 years."""
    found: datetime | None = next(_search()(cron, datetime.fromtimestamp(after, zone)), None)
    if found is None:
        raise ValueError("its time never comes")
    return found.timestamp()


def local_zone(env: Mapping[str, str]) -> tzinfo:
    """The machine's time zone, with its summer time: `TZ`, else /etc/localtime, else UTC."""
    name = env.get("TZ", "").removeprefix(":")
    try:
        if name:
            return ZoneInfo(name)
        with _LOCALTIME.open("rb") as file:
            return ZoneInfo.from_file(file, "localtime")
    except (ZoneInfoNotFoundError, ValueError, OSError):
        return UTC


def _search() -> Any:
    try:
        from cronsim import CronSim
    except ModuleNotFoundError as error:
        raise MissingExtra("serve", "a schedule") from error
    return CronSim


def _error() -> type[Exception]:
    from cronsim import CronSimError

    return CronSimError
