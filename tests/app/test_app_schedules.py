"""Schedules: due times, missed ones, and what is sent, on a clock that the test moves."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import attrs
import pytest
import trio

from vega_trio.app.cron import check_cron, local_zone, next_time
from vega_trio.app.open import App, open_app
from vega_trio.app.schedules import TABLE, Schedule
from vega_trio.changes import Put
from vega_trio.errors import Conflict, InputError, UnknownAgent, UnknownItem
from vega_trio.session import Session
from vega_trio.testing import MemoryStore, ScriptedModel

NOON = datetime(2026, 11, 22, 12, 0, tzinfo=UTC).timestamp()
HOUR = 3600.0


def at(text: str, zone: Any = UTC) -> float:
    return datetime.fromisoformat(text).replace(tzinfo=zone).timestamp()


@pytest.fixture
def document(tmp_path: Path) -> Path:
    path = tmp_path / "scheduled.vega.yaml"
    path.write_text("agents: {reporter: {system: You report., model: scripted}, other: {system: s, model: scripted}}\n")
    return path


@asynccontextmanager
async def scheduled(
    document: Path, model: ScriptedModel | list[Any], clock: Any, store: Any = None
) -> AsyncIterator[App]:
    """An application whose wall clock goes with the test's."""
    model = ScriptedModel(model) if isinstance(model, list) else model
    async with open_app(document, model=model, store=store, env={}, home=document.parent) as app:
        app.schedules.wall_clock = clock
        app.schedules.zone = UTC
        await app.schedules.open(app.orch)
        yield app


def from_noon() -> float:
    return NOON + trio.current_time()


async def said(app: App, schedule: str) -> list[str]:
    session = app.schedules.get("default", schedule).session
    if session is None:
        return []
    return [each.content for each in await app.transcript(Session("reporter", "default", session))]


def daily(name: str = "daily", cron: str = "0 13 * * *", **more: Any) -> Schedule:
    return Schedule(name=name, user="default", cron=cron, agent="reporter", message="Report.", **more)


async def test_a_message_is_sent_at_each_due_time_in_a_conversation_of_its_own(
    document: Path, autojump_clock: Any
) -> None:
    with trio.fail_after(100 * HOUR):
        async with scheduled(document, ["one", "two"], from_noon) as app:
            chat = await app.resolve(Session("reporter", "default"))
            made = await app.schedules.create(daily())
            assert app.schedules.next_at(made) == NOON + HOUR
            await trio.sleep(HOUR - 1)
            assert await said(app, "daily") == []
            await trio.sleep(2)
            assert await said(app, "daily") == ["Report.", "one"]
            await trio.sleep(24 * HOUR)
            assert await said(app, "daily") == ["Report.", "one", "Report.", "two"]
            now = app.schedules.get("default", "daily")
            assert now.last_run_at == NOON + 25 * HOUR
            assert (await app.resolve(Session("reporter", "default"))).id == chat.id != now.session
            await app.schedules.delete("default", "daily")
            await trio.sleep(72 * HOUR)


async def test_switched_off_changed_and_deleted_ones_send_nothing_at_their_old_time(
    document: Path, autojump_clock: Any
) -> None:
    with trio.fail_after(100 * HOUR):
        async with scheduled(document, ["late"], from_noon) as app:
            await app.schedules.create(daily("off", enabled=False))
            await app.schedules.create(daily("gone"))
            await app.schedules.create(daily("moved"))
            await app.schedules.delete("default", "gone")
            await app.schedules.change("default", "moved", cron="0 15 * * *", name="renamed")
            await trio.sleep(2 * HOUR)
            assert await said(app, "renamed") == []
            await trio.sleep(HOUR + 1)
            assert await said(app, "renamed") == ["Report.", "late"]
            assert [each.name for each in app.schedules.all("default")] == ["off", "renamed"]
            assert app.schedules.all("ada") == []


async def test_one_message_makes_up_for_all_that_were_missed(document: Path, tmp_path: Path) -> None:
    """Real time, since a file is at work; the wall clock is the test's."""
    store, now = tmp_path / "v.db", [NOON]
    with trio.fail_after(20):
        async with scheduled(document, [], lambda: now[0], store) as app:
            await app.schedules.create(daily())
        now[0] += 5 * 24 * HOUR
        async with scheduled(document, ["made up"], lambda: now[0], store) as app:
            while len(await said(app, "daily")) < 2:
                await trio.lowlevel.checkpoint()
            assert app.schedules.next_at(app.schedules.get("default", "daily")) == now[0] + HOUR
            kept = app.schedules.get("default", "daily")
        async with scheduled(document, [], lambda: now[0], store) as app:
            assert app.schedules.all("default") == [kept]


async def test_a_message_that_was_sent_before_a_crash_is_not_sent_again(document: Path, autojump_clock: Any) -> None:
    store, nobody = MemoryStore(), ScriptedModel([])
    with trio.fail_after(100 * HOUR):
        async with scheduled(document, ["once"], from_noon, store) as app:
            before = await app.schedules.create(daily())
            await trio.sleep(HOUR + 1)
            session = app.schedules.get("default", "daily").session
        # As a kill between the message and the record of it leaves the store.
        await store.submit(Put(TABLE, before.key, attrs.asdict(attrs.evolve(before, session=session)))).wait()
        async with scheduled(document, nobody, from_noon, store) as app:
            assert app.schedules.get("default", "daily").last_run_at is None
            await trio.sleep(1)
            assert await said(app, "daily") == ["Report.", "once"]
            assert app.schedules.get("default", "daily").last_run_at == NOON + HOUR
            assert nobody.requests == []


async def test_a_time_that_comes_while_the_answer_before_is_awaited_is_left_out(
    document: Path, autojump_clock: Any
) -> None:
    async def slow(_: Any) -> str:
        await trio.sleep(90)
        return "slow"

    with trio.fail_after(100 * HOUR):
        async with scheduled(document, [slow, "then"], from_noon) as app:
            await app.schedules.create(daily("often", cron="* * * * *"))
            await trio.sleep(121)
            assert "still being answered" in app.schedules.get("default", "often").last_error
            await trio.sleep(65)
            assert await said(app, "often") == ["Report.", "slow", "Report.", "then"]
            assert app.schedules.get("default", "often").last_error == ""


async def test_a_schedule_of_an_agent_that_has_gone_says_so_and_goes_on(document: Path, autojump_clock: Any) -> None:
    with trio.fail_after(100 * HOUR):
        async with scheduled(document, [], from_noon) as app:
            await app.schedules.create(daily())
            await app.composer.delete("reporter")
            await trio.sleep(HOUR + 1)
            kept = app.schedules.get("default", "daily")
            assert "'reporter' is not defined" in kept.last_error
            assert app.schedules.next_at(kept) == NOON + 25 * HOUR


async def test_what_cannot_be_is_refused(document: Path, autojump_clock: Any) -> None:
    async with scheduled(document, [], from_noon) as app:
        await app.schedules.create(daily())
        with pytest.raises(Conflict, match="there is a schedule 'daily' already"):
            await app.schedules.create(daily())
        with pytest.raises(UnknownAgent):
            await app.schedules.create(Schedule(name="x", user="u", cron="* * * * *", agent="nobody", message="m"))
        for wrong in (daily("a/b"), daily(""), daily("x", cron="hourly"), Schedule(**_blank())):
            with pytest.raises(InputError):
                await app.schedules.create(wrong)
        with pytest.raises(UnknownItem):
            await app.schedules.change("default", "nope", enabled=False)


def _blank() -> dict[str, Any]:
    return {"name": "x", "user": "default", "cron": "* * * * *", "agent": "reporter", "message": "  "}


@pytest.mark.parametrize(
    "cron",
    [
        "",
        "* * * *",
        "* * * * * *",
        "60 * * * *",
        "0 0 31 2 *",
        "@daily",
        "*/0 * * * *",
        "* * * * MON#2/2",
        "9" * 5000 + " * * * *",
        "a b c d e",
        "0 0 * * \u0663L",
        "-1 * * * *",
    ],
)
def test_an_expression_whose_time_never_comes_is_refused(cron: str) -> None:
    with pytest.raises(InputError, match="'cron' must be five fields"):
        check_cron(cron, UTC, NOON)


def test_times_are_the_zones_and_a_night_without_an_hour_still_has_its_run() -> None:
    zurich = ZoneInfo("Europe/Zurich")
    assert next_time("0 9 * * MON-FRI", at("2026-11-20T10:00", zurich), zurich) == at("2026-11-23T09:00", zurich)
    assert next_time("30 2 * * *", at("2026-03-29T00:00", zurich), zurich) == at("2026-03-29T03:00", zurich)
    assert local_zone({"TZ": "Europe/Zurich"}) == zurich
    assert local_zone({"TZ": "no/such"}) == UTC
