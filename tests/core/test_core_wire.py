"""Events as they go on the wire."""

import json
from datetime import UTC, datetime, timedelta
from typing import Any

import attrs
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from vega_trio import events
from vega_trio._core.wire import encode_event, event_to_wire, pack_event, rfc3339, unpack_event
from vega_trio.events import Event, HealthAlert, ProcessFailed, ProcessRestarting, ServerStopping, ToolStart

FULL_HEADER = {"process_id": "p", "agent": "a", "turn_id": "t", "session_id": "s", "incarnation": 2}


def _event_classes() -> list[type[Event]]:
    return [kind for kind in vars(events).values() if isinstance(kind, type) and issubclass(kind, Event)]


def test_a_process_event_has_the_documented_bytes() -> None:
    event = ProcessFailed(
        process_id="8c1f20aa", agent="coder", incarnation=2, error="RateLimited", final=False, at=1795342530.12, id=1042
    )
    assert encode_event(event) == (
        b'{"type":"process.failed","process_id":"8c1f20aa","agent":"coder",'
        b'"data":{"reason":"crashed","error":"RateLimited","final":false,"incarnation":2},'
        b'"timestamp":"2026-11-22T10:15:30.120Z"}'
    )


def test_data_holds_turn_and_session_where_the_event_has_them() -> None:
    wire = event_to_wire(ToolStart(tool_name="t", turn_id="t1", session_id="s1", root_turn_id="t0"))
    expected = {"tool_call_id": "", "tool_name": "t", "arguments": {}, "turn_id": "t1", "session_id": "s1"}
    assert wire["data"] == expected


def test_an_event_of_no_process_leaves_process_and_agent_out() -> None:
    assert event_to_wire(ServerStopping()) == {
        "type": "server.stopping",
        "data": {},
        "timestamp": "1970-01-01T00:00:00.000Z",
    }


def test_an_own_field_that_is_none_is_null_so_that_readers_can_rely_on_it() -> None:
    assert event_to_wire(ProcessRestarting(max=None))["data"]["max"] is None


def test_an_alert_is_named_by_its_kind() -> None:
    assert event_to_wire(HealthAlert(kind="mailbox"))["type"] == "alert.mailbox"


@pytest.mark.parametrize("kind", _event_classes(), ids=lambda kind: kind.__name__)
def test_every_event_has_one_shape(kind: type[Event]) -> None:
    wire = json.loads(encode_event(kind(process_id="p", agent="a", incarnation=1, at=1.5)))
    assert list(wire) == ["type", "process_id", "agent", "data", "timestamp"]
    mine = [field for field in attrs.fields(kind) if field.name not in attrs.fields_dict(Event)]
    own = [field.metadata.get("wire", field.name) for field in mine]
    assert list(wire["data"]) == [*own, "incarnation"]


@pytest.mark.parametrize("kind", _event_classes(), ids=lambda kind: kind.__name__)
@pytest.mark.parametrize("header", [{}, FULL_HEADER], ids=["bare", "full"])
def test_a_packed_event_comes_out_as_the_bytes_that_go_on_the_wire(kind: type[Event], header: dict[str, Any]) -> None:
    event = kind(**header, root_turn_id="r", at=1795342530.12, id=7)
    assert unpack_event(event.type, event.at, *pack_event(event)) == encode_event(event)


@given(st.dictionaries(st.text(), st.none() | st.text() | st.integers() | st.floats(allow_nan=False)))
@settings(max_examples=60)
def test_values_of_any_kind_come_out_of_a_packed_event_unchanged(arguments: dict[str, Any]) -> None:
    event = ToolStart(tool_name="t", arguments=arguments)
    assert unpack_event(event.type, event.at, *pack_event(event)) == encode_event(event)


@pytest.mark.parametrize(
    "event",
    [
        ToolStart(arguments={"x": object()}),
        ToolStart(process_id="\ud800"),
        ToolStart(at=float("nan")),
        ToolStart(at=-1e15),
        ToolStart(at=1e15),
    ],
)
def test_what_cannot_be_written_cannot_be_packed(event: Event) -> None:
    with pytest.raises(ValueError, match=r"cannot be written as JSON|is no time"):
        encode_event(event)
    with pytest.raises(ValueError, match=r"cannot be written as JSON|is no time"):
        pack_event(event)


@given(st.datetimes(timezones=st.just(UTC)))
@settings(max_examples=100)
def test_a_time_is_written_to_the_millisecond(moment: datetime) -> None:
    at = (moment - datetime(1970, 1, 1, tzinfo=UTC)) / timedelta(seconds=1)
    assert datetime.fromisoformat(rfc3339(at)) == pytest.approx(moment, abs=timedelta(milliseconds=1))
    assert len(rfc3339(at)) == len("2026-11-22T10:15:30.120Z")


@given(st.floats(0, 4e9), st.floats(0, 4e9))
@settings(max_examples=60)
def test_times_as_text_keep_their_order(one: float, other: float) -> None:
    assert (rfc3339(one) <= rfc3339(other)) or one > other


@pytest.mark.parametrize("at", [float("nan"), float("inf"), -1e15, 1e15, "now"])
def test_what_is_no_time_is_a_value_error(at: float) -> None:
    with pytest.raises(ValueError, match="is no time in Unix seconds"):
        rfc3339(at)
