"""Order, commits and slow subscribers."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import attrs
import pytest
import trio

import vega_trio as vega
from vega_trio.changes import Change, Together
from vega_trio.protocols import Commit
from vega_trio.runtime import Bus, Subscription


@attrs.define
class SlowCommit:
    """A commit that is done when the test says so."""

    event_ids: Sequence[int] = ()
    error: Exception | None = None
    done: bool = False
    _callbacks: list[Callable[[Commit], None]] = attrs.field(factory=list)

    def on_done(self, callback: Callable[[Commit], None]) -> None:
        self._callbacks.append(callback)

    def settle(self, *ids: int, error: Exception | None = None) -> None:
        self.event_ids, self.error, self.done = ids, error, True
        for callback in self._callbacks:
            callback(self)

    async def wait(self) -> None:
        raise NotImplementedError


@attrs.define
class SlowStore:
    submitted: list[tuple[Change, SlowCommit]] = attrs.field(factory=list)

    def submit(self, change: Change) -> Commit:
        commit = SlowCommit()
        self.submitted.append((change, commit))
        return commit


def bus() -> tuple[Bus, list[tuple[Change, SlowCommit]]]:
    store = SlowStore()
    return Bus(store, lambda: 7.0), store.submitted  # type: ignore[arg-type]


async def drain(events: Subscription) -> list[vega.Event]:
    """What has been handed out and not read."""
    out: list[vega.Event] = []
    with trio.CancelScope() as scope:
        scope.cancel()
        async for event in events:
            out.append(event)  # noqa: PERF401 - the cancel must not lose what was read
    return out


def delta(text: str, turn: str = "t") -> vega.TextDelta:
    return vega.TextDelta(delta=text, turn_id=turn, root_turn_id=turn)


async def test_a_durable_event_is_heard_with_its_id_once_it_is_committed() -> None:
    out, submitted = bus()
    async with out.subscribe() as events:
        out.emit(vega.ProcessStarted(process_id="p"))
        assert await drain(events) == []
        submitted[0][1].settle(17)
        (event,) = await drain(events)
        assert (event.id, event.at, event.process_id) == (17, 7.0, "p")


async def test_what_is_emitted_behind_a_pending_event_of_its_key_waits_behind_it() -> None:
    out, submitted = bus()
    async with out.subscribe() as events:
        out.emit(vega.TurnStarted(turn_id="t", root_turn_id="t"))
        out.emit(delta("a"))
        out.emit(delta("other", "u"))
        assert [event.turn_id for event in await drain(events)] == ["u"]
        out.emit(vega.TurnFinished(turn_id="t", root_turn_id="t"))
        submitted[1][1].settle(2)
        assert await drain(events) == []
        submitted[0][1].settle(1)
        assert [event.type for event in await drain(events)] == ["turn.started", "text_delta", "turn.finished"]


async def test_a_failed_commit_is_logged_and_not_heard(caplog: pytest.LogCaptureFixture) -> None:
    out, submitted = bus()
    async with out.subscribe() as events:
        out.emit(vega.TurnStarted(root_turn_id="t"))
        out.emit(delta("a"))
        submitted[0][1].settle(error=vega.StoreError("disk full"))
        assert [event.type for event in await drain(events)] == ["text_delta"]
    assert "disk full" in caplog.text


async def test_changes_are_written_in_the_events_transaction() -> None:
    from vega_trio.changes import AppendEvent, Delete

    out, submitted = bus()
    out.emit(vega.SessionUpdated(), Delete("session", "s"))
    match submitted[0][0]:
        case Together(changes=(Delete(), AppendEvent(event=event))):
            assert event.at == 7.0
        case other:
            pytest.fail(f"{other}")


async def test_types_are_classes_or_names_with_a_wildcard() -> None:
    out, submitted = bus()
    async with out.subscribe(["process.*", vega.TurnStarted]) as events:
        for event in (vega.ProcessStarted(), vega.SessionUpdated(), vega.TurnStarted(), vega.ProcessFailed()):
            out.emit(event)
        for number, (_, commit) in enumerate(submitted):
            commit.settle(number)
        assert [event.type for event in await drain(events)] == ["process.started", "turn.started", "process.failed"]


async def test_deltas_of_a_turn_merge_once_half_the_buffer_is_used() -> None:
    out, _ = bus()
    async with out.subscribe(buffer=4) as events:
        for text in "abcdefgh":
            out.emit(delta(text))
        assert [event.delta for event in await drain(events)] == ["a", "b", "cdefgh"]  # type: ignore[attr-defined]


async def test_a_slow_subscriber_is_cut_after_what_it_has_buffered() -> None:
    out, submitted = bus()
    async with out.subscribe(buffer=2) as events:
        for number in (1, 2, 3, 4):
            out.emit(vega.SessionUpdated())
            submitted[-1][1].settle(number)
        assert [(await anext(events)).id, (await anext(events)).id] == [1, 2]
        with pytest.raises(vega.SlowSubscriber) as caught:
            await anext(events)
        assert caught.value.last_event_id == 2


async def test_a_tap_hears_everything_as_it_goes_out_subscribers_or_not() -> None:
    out, submitted = bus()
    heard: list[tuple[str, int | None]] = []
    with out.tapped(lambda event: heard.append((event.type, event.id))):
        out.emit(vega.SessionUpdated())
        out.emit(delta("a"))
        assert heard == [("text_delta", None)]
        submitted[0][1].settle(3)
    out.emit(delta("b"))
    assert heard == [("text_delta", None), ("session.updated", 3)]


async def test_a_closed_bus_ends_subscriptions() -> None:
    out, _ = bus()
    async with out.subscribe() as events:
        out.emit(delta("a"))
        out.close()
        assert len([event async for event in events]) == 1
    async with out.subscribe() as events:
        assert [event async for event in events] == []
