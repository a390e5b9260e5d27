import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from vega_trio._core.sse import EventTooLong, ServerSentEvent, SseDecoder


def decode(*chunks: bytes) -> list[ServerSentEvent]:
    decoder = SseDecoder()
    return [event for chunk in chunks for event in decoder.feed(chunk)]


def test_an_event_has_its_name_and_its_data() -> None:
    assert decode(b"event: ping\ndata: {}\n\n") == [ServerSentEvent("ping", b"{}")]


def test_several_data_lines_are_joined_and_only_one_space_is_dropped() -> None:
    assert decode(b"data:  a\ndata:b\ndata\n\n") == [ServerSentEvent("", b" a\nb\n")]


def test_comments_unknown_fields_and_empty_blocks_give_nothing() -> None:
    assert decode(b": keepalive\n\nid: 7\nretry: 10\nfoo: bar\n\n\n") == []


def test_an_event_without_data_is_no_event_and_leaves_no_name_behind() -> None:
    assert decode(b"event: a\n\ndata: x\n\n") == [ServerSentEvent("", b"x")]


def test_the_end_of_the_stream_drops_an_unfinished_event() -> None:
    assert decode(b"data: whole\n\ndata: half\n") == [ServerSentEvent("", b"whole")]


@pytest.mark.parametrize("end", [b"\n", b"\r", b"\r\n"])
def test_every_line_end_of_the_standard_counts(end: bytes) -> None:
    assert decode(end.join([b"data: a", b"data: b", b"", b"data: c", b"", b""])) == [
        ServerSentEvent("", b"a\nb"),
        ServerSentEvent("", b"c"),
    ]


def test_a_crlf_cut_in_two_is_one_line_end() -> None:
    assert decode(b"data: a\r", b"\ndata: b\r", b"", b"\n\r", b"\n") == [ServerSentEvent("", b"a\nb")]


def test_a_lone_cr_at_the_end_of_a_chunk_ends_its_event_at_once() -> None:
    assert decode(b"data: a\r\r") == [ServerSentEvent("", b"a")]


def test_a_byte_order_mark_at_the_start_is_no_part_of_the_field() -> None:
    assert decode(b"\xef\xbb", b"\xbfdata: a\n\n") == [ServerSentEvent("", b"a")]


def test_an_event_without_end_is_refused_whether_its_lines_end_or_not() -> None:
    with pytest.raises(EventTooLong, match="longer than 10 bytes"):
        SseDecoder(max_bytes=10).feed(b"data: 0123456789")
    with pytest.raises(EventTooLong, match="longer than 10 bytes"):
        SseDecoder(max_bytes=10).feed(b"data: 012345\ndata: 678901\n")


LINE_END = st.sampled_from([b"\n", b"\r", b"\r\n"])
NAME = st.sampled_from(["a", "é", ""])
TEXT = st.text(st.characters(exclude_characters="\r\n", exclude_categories=["Cs"]), max_size=20)
FIELD = st.builds(lambda name, text: f"{name}: {text}".encode(), st.sampled_from(["data", "event", "id", ""]), TEXT)
BLOCK = st.lists(FIELD, max_size=4)


@st.composite
def streams(draw: st.DrawFn) -> bytes:
    end = draw(LINE_END)
    return b"".join(end.join([*block, b"", b""]) for block in draw(st.lists(BLOCK, max_size=4)))


@settings(max_examples=100)
@given(streams() | st.binary(max_size=60), st.data())
def test_the_way_a_stream_is_cut_into_chunks_makes_no_difference(stream: bytes, data: st.DataObject) -> None:
    cuts = sorted(data.draw(st.lists(st.integers(0, len(stream)), max_size=8)))
    chunks = [stream[a:b] for a, b in zip([0, *cuts], [*cuts, len(stream)], strict=True)]
    assert decode(*chunks) == decode(stream) == decode(*(bytes([byte]) for byte in stream))


@settings(max_examples=100)
@given(st.lists(st.tuples(NAME, st.lists(TEXT, min_size=1, max_size=3)), max_size=4), LINE_END)
def test_what_was_written_is_read(events: list[tuple[str, list[str]]], end: bytes) -> None:
    lines: list[bytes] = []
    for name, texts in events:
        lines += [f"event: {name}".encode(), *(f"data: {text}".encode() for text in texts), b""]
    expected = [ServerSentEvent(name, "\n".join(texts).encode()) for name, texts in events]
    assert decode(b"".join(line + end for line in lines)) == expected
