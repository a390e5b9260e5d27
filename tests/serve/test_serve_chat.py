"""Chat over a real server."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import trio

from vega_trio.errors import ModelError
from vega_trio.messages import ToolCall
from vega_trio.protocols import ModelRequest
from vega_trio.session import ErrorClass
from vega_trio.testing import ScriptedModel, ScriptedReply

pytestmark = pytest.mark.e2e


def web_search(query: str) -> str:
    """Searches.

    Args:
        query: What for.
    """
    return f"Found 2 results for {query}"


def broken_search(query: str) -> str:
    """Searches, in vain.

    Args:
        query: What for.
    """
    raise ConnectionError("the index is gone")


def call(name: str = "web_search") -> ToolCall:
    return ToolCall("tc_1", name, {"query": "trio"})


def types(frames: list[Any]) -> list[str]:
    return [frame.event for frame in frames]


def said(frames: list[Any]) -> str:
    return "".join(frame.data["delta"] for frame in frames if frame.event == "text_delta")


async def test_the_stream_has_the_shapes_of_the_first_clients(serving: Any) -> None:
    script = [["Let me ", call()], "Based on the results"]
    with trio.fail_after(30):
        async with serving(script, tools=[web_search]) as served:
            frames = await served.chat("Search for trio")
    assert types(frames) == [
        "text_delta",
        "text_delta",
        "tool_start",
        "tool_end",
        *["text_delta"] * 4,
        "done",
    ]
    start, end = frames[2].data, frames[3].data
    assert list(start) == ["type", "tool_call_id", "tool_name", "arguments"]
    assert (start["tool_name"], start["arguments"]) == ("web_search", {"query": "trio"})
    assert list(end) == ["type", "tool_call_id", "tool_name", "result", "duration_ms"]
    assert end["result"] == "Found 2 results for trio"
    assert frames[-1].data == {"type": "done"}
    assert said(frames) == "Let me Based on the results"
    turns = {frame.id.rpartition(":")[0] for frame in frames}
    assert len(turns) == 1
    assert [int(frame.id.rpartition(":")[2]) for frame in frames] == list(range(1, len(frames) + 1))


async def test_the_blocking_chat_answers_with_the_reply_and_its_figures(serving: Any) -> None:
    with trio.fail_after(30):
        async with serving(ScriptedModel(["Hello there"], price=2)) as served:
            answer = await served.http.post("/api/agents/assistant/chat", json={"message": "Hello!"})
    assert answer.status_code == 200
    body = answer.json()
    assert body["response"] == "Hello there"
    assert body["turn_id"]
    assert body["metrics"]["input_tokens"] == 10
    assert body["metrics"]["output_tokens"] == 5
    assert body["metrics"]["cost_usd"] == pytest.approx(30 / 1_000_000)
    assert isinstance(body["metrics"]["duration_ms"], int)


async def test_the_history_shows_both_sides_of_each_turn_with_its_tools(serving: Any) -> None:
    with trio.fail_after(30):
        async with serving([["Looking", call()], ". Done", "Bye"], tools=[web_search]) as served:
            await served.chat("one")
            await served.chat("two")
            history = (await served.http.get("/api/agents/assistant/chat")).json()
    assert [(each["role"], each["content"]) for each in history] == [
        ("user", "one"),
        ("assistant", "Looking. Done"),
        ("user", "two"),
        ("assistant", "Bye"),
    ]
    assert history[1]["tool_calls"][0]["result"] == "Found 2 results for trio"
    assert all(each["id"] and each["created_at"].endswith("Z") for each in history)
    assert "tool_calls" not in history[0]


async def test_a_cleared_chat_is_empty(serving: Any) -> None:
    with trio.fail_after(30):
        async with serving(["a", "b"]) as served:
            await served.chat("one")
            cleared = await served.http.delete("/api/agents/assistant/chat")
            assert (cleared.status_code, cleared.json()) == (200, {"status": "cleared"})
            assert (await served.http.get("/api/agents/assistant/chat")).json() == []
            await served.chat("two")
            assert len((await served.http.get("/api/agents/assistant/chat")).json()) == 2


async def test_a_tool_that_raises_is_an_error_for_the_model_and_the_process_lives(serving: Any) -> None:
    with trio.fail_after(30):
        async with serving([call("broken_search"), "Sorry", "Still here"], tools=[broken_search]) as served:
            frames = await served.chat("Search")
            again = await served.chat("And now?")
    assert frames[1].data["result"] == "Error: ConnectionError: the index is gone"
    assert said(frames) == "Sorry"
    assert said(again) == "Still here"


async def test_a_failed_turn_says_error_and_done_and_the_next_one_works(serving: Any) -> None:
    failure = ModelError("no credit is left", ErrorClass.INVALID_REQUEST)
    with trio.fail_after(30):
        async with serving([failure, "Fine again"]) as served:
            frames = await served.chat("one")
            again = await served.chat("two")
    assert types(frames) == ["error", "done"]
    assert "no credit is left" in frames[0].data["error"]
    assert said(again) == "Fine again"


@pytest.mark.parametrize(
    ("error_class", "status"),
    [
        (ErrorClass.RATE_LIMIT, 429),
        (ErrorClass.OVERLOADED, 503),
        (ErrorClass.AUTHENTICATION, 502),
        (ErrorClass.TIMEOUT, 504),
        (ErrorClass.BUDGET_EXCEEDED, 402),
    ],
)
async def test_a_failed_turn_of_the_blocking_chat_has_the_status_of_its_class(
    serving: Any, error_class: ErrorClass, status: int
) -> None:
    with trio.fail_after(30):
        async with serving(lambda request: ModelError("the model said no", error_class)) as served:
            answer = await served.http.post("/api/agents/assistant/chat", json={"message": "x"})
    body = answer.json()
    assert answer.status_code == status
    assert answer.headers["content-type"] == "application/problem+json"
    assert body["code"] == error_class.value
    assert "the model said no" in body["error"]
    assert body["hint"]
    assert body["details"]["turn_id"]
    assert ("retry-after" in answer.headers) == (status in (429, 503))


async def test_after_a_crash_the_same_turn_goes_on_in_the_same_stream(serving: Any) -> None:
    script = [["Half an ", RuntimeError("boom")], "Whole answer"]
    with trio.fail_after(30):
        async with serving(script) as served:
            frames = await served.chat("Tell me")
            history = (await served.http.get("/api/agents/assistant/chat")).json()
    assert said(frames) == "Half an \n\nWhole answer"
    assert types(frames) == ["text_delta"] * 5 + ["done"]
    assert len({frame.id.rpartition(":")[0] for frame in frames}) == 1
    assert history[-1]["content"] == "Whole answer"


async def test_version_2_tells_of_the_restart_and_carries_the_figures(serving: Any) -> None:
    script = [["Half an ", RuntimeError("boom")], "Whole answer"]
    with trio.fail_after(30):
        async with serving(script) as served:
            frames = await served.chat("Tell me", v="2")
            history = (await served.http.get("/api/agents/assistant/chat")).json()
    assert types(frames) == [
        "turn_start",
        "text_delta",
        "text_delta",
        "restart",
        "message_reset",
        "text_delta",
        "text_delta",
        "done",
    ]
    start, restart, done = frames[0].data, frames[3].data, frames[-1].data
    assert start["model"] == "scripted:test"
    assert start["process_id"]
    assert restart["incarnation"] == 2
    assert restart["restarts"] == 1
    assert restart["max_restarts"] == 3
    assert "boom" in restart["reason"]
    assert frames[4].data == {"type": "message_reset", "text": ""}
    assert done["stop_reason"] == "end_turn"
    assert done["turn_id"] == start["turn_id"]
    assert done["message_id"] == history[-1]["id"]
    assert set(done["metrics"]) == {"input_tokens", "output_tokens", "cost_usd", "duration_ms"}


async def test_finished_tool_calls_are_not_shown_again_after_a_crash(serving: Any) -> None:
    script = [["Looking", call()], ["Half ", RuntimeError("boom")], "Found"]
    with trio.fail_after(30):
        async with serving(script, tools=[web_search]) as served:
            frames = await served.chat("Search")
    assert types(frames).count("tool_start") == types(frames).count("tool_end") == 1
    assert said(frames) == "LookingHalf \n\nLookingFound"


class Gate:
    """A model's step that waits until it is opened."""

    def __init__(self) -> None:
        self.reached, self.opened = trio.Event(), trio.Event()

    async def __call__(self, request: ModelRequest) -> str:
        self.reached.set()
        await self.opened.wait()
        return "the answer"


def gated(*after: Any) -> tuple[Gate, ScriptedModel]:
    gate = Gate()
    return gate, ScriptedModel([gate, *after])


async def test_a_client_that_leaves_does_not_cancel_its_turn(serving: Any) -> None:
    gate, model = gated()
    with trio.fail_after(30):
        async with serving(model) as served:
            async with served.streaming("one"):
                await gate.reached.wait()
            async with served.listening(types="turn.*") as events:
                gate.opened.set()
                assert (await anext(events)).event == "turn.finished"
            history = (await served.http.get("/api/agents/assistant/chat")).json()
    assert history[-1]["content"] == "the answer"


async def test_a_client_that_leaves_the_blocking_chat_does_not_cancel_its_turn(serving: Any) -> None:
    gate, model = gated()
    with trio.fail_after(30):
        async with serving(model) as served:
            async with trio.open_nursery() as nursery:
                nursery.start_soon(_post, served, "/api/agents/assistant/chat")
                await gate.reached.wait()
                nursery.cancel_scope.cancel()
            async with served.listening(types="turn.*") as events:
                gate.opened.set()
                assert (await anext(events)).event == "turn.finished"


async def _post(served: Any, path: str) -> None:
    await served.http.post(path, json={"message": "one"})


async def test_stop_ends_the_turn_and_keeps_what_was_said(serving: Any) -> None:
    slow = ScriptedReply("one two three four five six seven eight nine ten " * 100, delay_s=0.02)
    with trio.fail_after(30):
        async with serving([slow]) as served:
            async with served.streaming("count", v="2") as frames:
                first = [await anext(frames) for _ in range(3)]
                state = (await served.http.get("/api/agents/assistant/chat/status")).json()
                assert state["streaming"]
                assert state["turn_id"] == first[0].data["turn_id"]
                stopped = (await served.http.post("/api/agents/assistant/chat/stop")).json()
                assert stopped == {"status": "stopping", "turn_id": state["turn_id"]}
                rest = [frame async for frame in frames]
            assert rest[-1].data["stop_reason"] == "cancelled"
            idle = (await served.http.get("/api/agents/assistant/chat/status")).json()
            assert idle == {"streaming": False, "queued": 0}
            history = (await served.http.get("/api/agents/assistant/chat")).json()
            assert history[-1]["content"] == said([*first, *rest])
            assert (await served.http.post("/api/agents/assistant/chat/stop")).json() == {"status": "idle"}


async def test_a_stopped_turn_answers_the_blocking_chat_with_a_conflict(serving: Any) -> None:
    gate, model = gated()
    answers = []
    with trio.fail_after(30):
        async with serving(model) as served:

            async def ask() -> None:
                answers.append(await served.http.post("/api/agents/assistant/chat", json={"message": "x"}))

            async with trio.open_nursery() as nursery:
                nursery.start_soon(ask)
                await gate.reached.wait()
                await served.http.post("/api/agents/assistant/chat/stop")
    assert (answers[0].status_code, answers[0].json()["code"]) == (409, "cancelled")


async def test_each_user_after_the_colon_has_a_conversation_of_their_own(serving: Any) -> None:
    with trio.fail_after(30):
        async with serving(["for ann", "for me"]) as served:
            await served.chat("hi", agent="assistant:ann")
            await served.chat("hi")
            ann = (await served.http.get("/api/agents/assistant:ann/chat")).json()
            bob = (await served.http.get("/api/agents/assistant:bob/chat")).json()
            mine = (await served.http.get("/api/agents/assistant/chat")).json()
    assert [each[-1]["content"] for each in (ann, mine)] == ["for ann", "for me"]
    assert bob == []


async def test_history_survives_a_restart_on_the_same_database(serving: Any, tmp_path: Path) -> None:
    database = tmp_path / "vega.db"
    with trio.fail_after(30):
        async with serving(["first answer"], store=database) as served:
            await served.chat("one")
            before = (await served.http.get("/api/agents/assistant/chat")).json()
        async with serving(["second answer"], store=database) as served:
            assert (await served.http.get("/api/agents/assistant/chat")).json() == before
            await served.chat("two")
            history = (await served.http.get("/api/agents/assistant/chat")).json()
    assert [each["content"] for each in history] == ["one", "first answer", "two", "second answer"]


REFUSALS: list[tuple[str, dict[str, Any], int, str]] = [
    ("assistent", {"message": "x"}, 404, "did you mean 'assistant'"),
    ("nobody:ann", {"message": "x"}, 404, "'nobody' is not defined"),
    ("assistant", {"message": ""}, 400, "empty"),
    ("assistant", {"message": " \n"}, 400, "empty"),
    ("assistant", {}, 400, "missing"),
    ("assistant", {"message": ["x"]}, 400, "must be text"),
    ("assistant", {"message": "x" * (256 * 1024 + 1)}, 413, "262144 bytes"),
    ("assistant", {"message": "x", "session": "nosuch"}, 404, "nosuch"),
]


@pytest.mark.parametrize("ending", ["chat", "chat/stream"])
@pytest.mark.parametrize(("agent", "body", "status", "words"), REFUSALS)
async def test_a_message_that_cannot_be_sent_is_refused_before_a_stream_begins(
    serving: Any, ending: str, agent: str, body: dict[str, Any], status: int, words: str
) -> None:
    with trio.fail_after(30):
        async with serving() as served:
            answer = await served.http.post(f"/api/agents/{agent}/{ending}", json=body)
    problem = answer.json()
    assert answer.status_code == problem["status"] == status
    assert words in problem["error"]
    assert problem["hint"]
    assert problem["request_id"] == answer.headers["x-request-id"]


@pytest.mark.parametrize("data", [b"", b"{", b'"x"', b"[1]", b"\xff\xfe", b"[" * 5000, b'{"message": "\\ud800"}'])
async def test_a_body_that_is_no_json_object_is_refused(serving: Any, data: bytes) -> None:
    with trio.fail_after(30):
        async with serving() as served:
            answer = await served.http.post(
                "/api/agents/assistant/chat", content=data, headers={"content-type": "application/json"}
            )
    assert answer.status_code == 400
    assert answer.json()["hint"]


async def test_two_messages_at_once_are_answered_one_after_the_other(serving: Any) -> None:
    gate, model = gated("second")
    frames: dict[str, list[Any]] = {}
    with trio.fail_after(30):
        async with serving(model) as served:

            async def ask(name: str, then: Callable[[], None] | None = None) -> None:
                frames[name] = await served.chat(name)

            async with trio.open_nursery() as nursery:
                nursery.start_soon(ask, "one")
                await gate.reached.wait()
                async with served.streaming("two") as second:
                    state = (await served.http.get("/api/agents/assistant/chat/status")).json()
                    assert state["streaming"]
                    assert state["queued"] == 1
                    gate.opened.set()
                    frames["two"] = [frame async for frame in second]
    assert (said(frames["one"]), said(frames["two"])) == ("the answer", "second")
