"""The server's small parts: address, assets, bodies, filters, pages, durations."""

from __future__ import annotations

import socket
from contextlib import suppress
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from vega_trio.app.overview import duration
from vega_trio.errors import ConfigError
from vega_trio.serve.assets import read_bundle
from vega_trio.serve.convert import open_converter, read
from vega_trio.serve.events import event_filter, gap_frame
from vega_trio.serve.listener import STUCK_MS, TCP_USER_TIMEOUT, Address, open_listener, parse_address
from vega_trio.serve.models.agents import AgentEntry
from vega_trio.serve.models.chat import ChatRequest
from vega_trio.serve.models.workflows import RunOptions
from vega_trio.serve.problems import Refused
from vega_trio.serve.ring import EventFrame
from vega_trio.serve.workflows import shown_run, unwrapped

# -- the address


@pytest.mark.parametrize(
    ("text", "host", "port"),
    [
        (":3001", "127.0.0.1", 3001),
        ("3001", "127.0.0.1", 3001),
        ("localhost:0", "127.0.0.1", 0),
        ("127.0.0.2:80", "127.0.0.2", 80),
        ("[::1]:3001", "::1", 3001),
    ],
)
def test_an_address_without_a_host_is_on_loopback(text: str, host: str, port: int) -> None:
    assert parse_address(text) == Address(host, port)


@pytest.mark.parametrize("text", ["", ":", "host", ":70000", ":-1", "a:b:c", ":\uff13\uff10"])
def test_what_is_no_address_is_told_so(text: str) -> None:
    with pytest.raises(ConfigError, match="is no address"):
        parse_address(text)


@pytest.mark.parametrize("text", ["0.0.0.0:3001", "[::]:3001", "192.168.1.4:3001", "example.com:3001"])
def test_an_address_that_others_reach_is_known_as_such(text: str) -> None:
    assert not parse_address(text).loopback
    assert parse_address("127.0.0.2:1").loopback


def test_a_taken_port_names_address_and_remedy() -> None:
    with open_listener(Address("127.0.0.1", 0)) as first:
        port = first.getsockname()[1]
        with pytest.raises(ConfigError, match=rf"127\.0\.0\.1:{port} is taken.*--addr :0"):
            open_listener(Address("127.0.0.1", port))


def test_connections_inherit_the_limit_for_stuck_clients() -> None:
    with open_listener(Address("127.0.0.1", 0)) as listener:
        with socket.create_connection(listener.getsockname()):
            accepted, _ = listener.accept()
            with accepted:
                assert accepted.getsockopt(socket.IPPROTO_TCP, TCP_USER_TIMEOUT) == STUCK_MS
                assert accepted.getsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE) == 1


# -- the bundle


def test_the_bundle_holds_every_file_but_the_page(tmp_path: Path) -> None:
    (tmp_path / "assets").mkdir()
    (tmp_path / "index.html").write_text("<html>__CSP_NONCE__</html>")
    (tmp_path / "scheme.js").write_text("1")
    (tmp_path / "assets" / "index-abc.css").write_text("a{}")
    bundle = read_bundle(tmp_path)
    assert set(bundle.files) == {"/scheme.js", "/assets/index-abc.css"}
    assert bundle.files["/assets/index-abc.css"].content_type == "text/css; charset=utf-8"
    assert bundle.files["/assets/index-abc.css"].lasting
    assert "javascript" in bundle.files["/scheme.js"].content_type
    assert not bundle.files["/scheme.js"].lasting


def test_without_a_page_there_is_no_bundle(tmp_path: Path) -> None:
    assert read_bundle(tmp_path / "nowhere").page is None


# -- bodies


@pytest.mark.parametrize(
    ("body", "field", "words"),
    [
        ({"message": 3}, "message", "must be text, not 3"),
        ({"mesage": "x"}, "mesage", "did you mean 'message'?"),
        ({}, "message", "'message' is missing"),
        ({"message": "x", "session": True}, "session", "must be text, not true"),
        ([1], "", "a list, not an object"),
        ("text", "", "not an object"),
    ],
)
def test_a_wrong_body_names_the_field_and_what_is_wrong(body: object, field: str, words: str) -> None:
    with pytest.raises(Refused) as caught:
        read(open_converter(), body, ChatRequest)
    problem = caught.value.problem
    assert problem.status == 400
    assert problem.field == field
    assert words in problem.error
    assert problem.hint


def test_whole_numbers_are_numbers_and_truths_are_not() -> None:
    converter = open_converter()
    assert read(converter, {"wait": 2}, RunOptions) == RunOptions(wait=2)
    with pytest.raises(Refused):
        read(converter, {"wait": True}, RunOptions)


def test_what_has_its_default_is_left_out_of_an_answer() -> None:
    entry = AgentEntry(name="a", tools=("t",))
    assert open_converter().unstructure(entry) == {"name": "a", "tools": ["t"]}


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=6,
)


@settings(max_examples=80)
@given(json_values | st.fixed_dictionaries({}, optional={"message": json_values, "session": json_values}))
def test_any_body_is_read_or_refused(body: object) -> None:
    with suppress(Refused):
        assert isinstance(read(open_converter(), body, ChatRequest).message, str)


# -- workflow inputs


@pytest.mark.parametrize(
    ("body", "declared", "inputs", "rest"),
    [
        ({"task": "x"}, {"task"}, {"task": "x"}, {}),
        ({"inputs": {"task": "x"}}, {"task"}, {"task": "x"}, {}),
        ({"inputs": {"task": "x"}, "wait": 5}, {"task"}, {"task": "x"}, {"wait": 5}),
        ({"inputs": {"a": 1}, "other": 5}, {"task"}, {"inputs": {"a": 1}, "other": 5}, {}),
        ({"inputs": {"a": 1}}, {"inputs"}, {"inputs": {"a": 1}}, {}),
        ({"inputs": "text"}, {"task"}, {"inputs": "text"}, {}),
        ({"wait": 5}, {"task"}, {"wait": 5}, {}),
        ({}, {"task"}, {}, {}),
    ],
)
def test_inputs_are_wrapped_or_bare(
    body: dict[str, object], declared: set[str], inputs: dict[str, object], rest: dict[str, object]
) -> None:
    assert unwrapped(body, dict.fromkeys(declared, None)) == (inputs, rest)


def test_a_run_shows_its_result_only_once_it_has_one() -> None:
    row = {"run_id": "r", "status": "running", "result": None, "error": "", "cost_usd": 0.0, "completed_at": None}
    assert shown_run(row) == {"run_id": "r", "status": "running", "cost_usd": 0.0}
    done = shown_run({**row, "status": "completed", "completed_at": "2026-01-01T00:00:00.000Z"})
    assert done["result"] is None


# -- events


def event(kind: str, process_id: str | None = None, agent: str | None = None) -> EventFrame:
    return EventFrame(1, kind, process_id, agent, b"")


def test_a_filter_knows_exact_types_and_prefixes() -> None:
    chosen = event_filter("process.*, workflow.failed", None, None)
    wanted = ["process.started", "process.failed", "workflow.failed"]
    assert [kind for kind in (*wanted, "workflow.completed", "processes") if chosen.wants(event(kind))] == wanted


def test_a_filter_without_types_wants_all_of_its_process_and_agent() -> None:
    assert event_filter("", None, None).wants(event("anything"))
    assert event_filter("*", None, None).wants(event("anything"))
    chosen = event_filter("", "p1", "coder")
    assert chosen.wants(event("x", "p1", "coder"))
    assert not chosen.wants(event("x", "p2", "coder"))
    assert not chosen.wants(event("x", "p1", None))


@pytest.mark.parametrize("types", ["*.started", "proc*", "a.*.b", "**"])
def test_other_patterns_are_refused(types: str) -> None:
    with pytest.raises(Refused):
        event_filter(types, None, None)


def test_a_gap_tells_the_first_and_the_last_missing_event() -> None:
    assert gap_frame(17, 903) == b'event: gap\ndata: {"type":"gap","from":17,"to":903}\nid: 903\n\n'


@pytest.mark.parametrize(
    ("seconds", "text"), [(0.4, "0s"), (59.9, "59s"), (61, "1m1s"), (3600, "1h0m0s"), (3723, "1h2m3s")]
)
def test_uptime_reads_as_hours_minutes_and_seconds(seconds: float, text: str) -> None:
    assert duration(seconds) == text
