"""Asking again, asking something else, and going on elsewhere: conversations that are taken back."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import trio

from vega_trio.protocols import ModelRequest

pytestmark = pytest.mark.e2e


async def ask(served: Any, message: str) -> str:
    answer = await served.http.post("/api/agents/assistant/chat", json={"message": message})
    assert answer.status_code == 200, answer.text
    return str(answer.json()["turn_id"])


async def again(served: Any, session: str, what: str, expected: int = 202, **body: str) -> Any:
    answer = await served.http.post(f"/api/sessions/{session}/{what}", json=body)
    assert answer.status_code == expected, answer.text
    return answer.json()


async def history(served: Any, session: str) -> list[str]:
    said = (await served.http.get("/api/agents/assistant/chat", params={"session": session})).json()
    return [each["content"] for each in said]


async def heard(served: Any, session: str) -> str:
    """The text of the turn under way, or of the last."""
    async with served.joining(session=session) as frames:
        return "".join([frame.data.get("delta", "") async for frame in frames])


def shows(*expected: str) -> Any:
    """A reply that first checks what the model is shown."""

    def reply(request: ModelRequest) -> str:
        assert [message.text for message in request.messages] == list(expected)
        return "again"

    return reply


async def test_the_last_answer_is_given_anew_and_the_turns_before_stay(serving: Any, tmp_path: Path) -> None:
    store = tmp_path / "v.db"
    with trio.fail_after(30):
        async with serving(["a", "b", shows("one", "a", "two")], store=store) as served:
            first, second = await ask(served, "one"), await ask(served, "two")
            [session] = (await served.http.get("/api/sessions")).json()
            begun = await again(served, session["id"], "regenerate")
            assert (begun["status"], begun["session_id"], begun["agent"]) == ("running", session["id"], "assistant")
            assert begun["turn_id"] not in (first, second)
            assert await heard(served, session["id"]) == "again"
            assert await history(served, session["id"]) == ["one", "a", "two", "again"]
        async with serving([shows("one", "a", "two", "again", "three")], store=store) as served:
            await ask(served, "three")
            assert len(await history(served, session["id"])) == 6


async def test_a_message_is_put_in_place_of_an_earlier_one_and_what_came_after_is_forgotten(serving: Any) -> None:
    with trio.fail_after(30):
        async with serving(["a", "b", "c", shows("one", "a", "2")]) as served:
            for message in ("one", "two", "three"):
                await ask(served, message)
            [session] = (await served.http.get("/api/sessions")).json()
            said = (await served.http.get("/api/agents/assistant/chat")).json()
            await again(served, session["id"], "edit", message="2", message_id=said[2]["id"])
            assert await heard(served, session["id"]) == "again"
            assert await history(served, session["id"]) == ["one", "a", "2", "again"]
            costs = (await served.http.get("/api/costs")).json()
            assert costs["rows"][0]["calls"] == 4, "what was forgotten was paid for"


async def test_a_branch_goes_on_from_a_turn_and_leaves_the_first_as_it_was(serving: Any) -> None:
    with trio.fail_after(30):
        async with serving(["a", "b", shows("one", "a", "elsewhere")]) as served:
            first = await ask(served, "one")
            await ask(served, "two")
            [session] = (await served.http.get("/api/sessions")).json()
            made = await again(served, session["id"], "branch", 201, message_id=first, title="Other way")
            assert (made["title"], made["message_count"]) == ("Other way", 2)
            body = {"message": "elsewhere", "session": made["id"]}
            assert (await served.http.post("/api/agents/assistant/chat", json=body)).json()["response"] == "again"
            whole = await again(served, session["id"], "branch", 201)
            assert (whole["title"], whole["message_count"]) == (session["title"], 4)
            assert await history(served, session["id"]) == ["one", "a", "two", "b"]


async def test_a_conversation_at_work_or_without_such_a_message_is_left_alone(serving: Any) -> None:
    async def slow(_: Any) -> str:
        await trio.sleep_forever()
        raise AssertionError

    with trio.fail_after(30):
        async with serving(["a", slow]) as served:
            await ask(served, "one")
            [session] = (await served.http.get("/api/sessions")).json()
            wrong = await again(served, session["id"], "regenerate", 400, message_id="nope")
            assert wrong["field"] == "message_id"
            assert (await again(served, session["id"], "edit", 400, message=" "))["field"] == "message"
            await again(served, "nope", "regenerate", 404)
            empty = (await served.http.post("/api/sessions", json={"agent": "reviewer"})).json()
            await again(served, empty["id"], "regenerate", 400)
            async with served.streaming("two", session=session["id"]):
                await again(served, session["id"], "regenerate", 409)
            await served.http.post("/api/agents/assistant/chat/stop", params={"session": session["id"]})
