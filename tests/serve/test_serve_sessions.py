"""Several conversations with one agent, over a real server."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import trio

from vega_trio.messages import ToolCall
from vega_trio.protocols import ModelRequest

pytestmark = pytest.mark.e2e


def lookup(word: str) -> str:
    """Looks a word up.

    Args:
        word: Which.
    """
    return f"```{word}```"


async def ask(served: Any, message: str, session: str | None = None) -> str:
    body = {"message": message} | ({"session": session} if session else {})
    answer = await served.http.post("/api/agents/assistant/chat", json=body)
    assert answer.status_code == 200, answer.text
    return str(answer.json()["response"])


async def get(served: Any, path: str, expected: int = 200, **query: str) -> Any:
    answer = await served.http.get(path, params=query)
    assert answer.status_code == expected, answer.text
    return answer.json()


async def begin(served: Any, **body: str) -> dict[str, Any]:
    answer = await served.http.post("/api/sessions", json={"agent": "assistant", **body})
    assert answer.status_code == 201, answer.text
    shown: dict[str, Any] = answer.json()
    return shown


async def test_each_session_keeps_its_own_conversation_and_the_newest_is_meant(serving: Any) -> None:
    with trio.fail_after(30):
        async with serving(["a", "b", "c", "d"]) as served:
            await ask(served, "What is\n Trio?")
            [first] = await get(served, "/api/sessions")
            second = await begin(served)
            assert await ask(served, "new") == "b"
            assert await ask(served, "again", first["id"]) == "c"
            both = await get(served, "/api/sessions")
            assert await get(served, f"/api/sessions/{first['id']}") == both[0]
            history = await get(served, "/api/agents/assistant/chat", session=first["id"])
            assert await ask(served, "still new") == "d"
            status = await served.http.get("/api/agents/assistant/chat/status")
    assert status.headers["x-session-id"] == second["id"], "which is not the one that was spoken in last"
    assert (first["title"], first["message_count"], first["user"]) == ("What is Trio?", 2, "default")
    assert set(first) == {"id", "agent", "user", "title", "created_at", "updated_at", "message_count"}
    assert (second["title"], second["message_count"]) == ("", 0)
    assert [each["id"] for each in both] == [first["id"], second["id"]]
    assert both[1]["title"] == "new"
    assert [each["content"] for each in history] == ["What is\n Trio?", "a", "again", "c"]


async def test_sessions_are_found_by_agent_and_title_and_come_in_pages(serving: Any) -> None:
    with trio.fail_after(30):
        async with serving() as served:
            for title in ("Red one", "Blue two", "Red three"):
                await begin(served, title=title)
            reds = await get(served, "/api/sessions", q="RED")
            nobody = await get(served, "/api/sessions", agent="reviewer")
            first = await served.http.get("/api/sessions?limit=2")
            rest = await served.http.get(first.links["next"]["url"])
    assert {each["title"] for each in reds} == {"Red one", "Red three"}
    assert nobody == []
    assert len(first.json()) == 2
    assert len(rest.json()) == 1
    assert "next" not in rest.links


async def test_a_page_of_sessions_reads_no_more_than_it_shows(serving: Any, tmp_path: Path) -> None:
    """Also behind titles that are not looked for, in the order in which they were last spoken in."""
    with trio.fail_after(30):
        async with serving(["a"], store=tmp_path / "vega.db") as served:
            made = [(await begin(served, title=f"{'Red' if each % 3 else 'Blue'} {each}"))["id"] for each in range(9)]
            await ask(served, "spoken in last", made[0])
            found, address, pages = [], "/api/sessions?limit=2&q=red", 0
            while address:
                answer = await served.http.get(address)
                assert answer.status_code == 200, answer.text
                found += [each["id"] for each in answer.json()]
                address, pages = answer.links.get("next", {}).get("url", ""), pages + 1
            everything = [each["id"] for each in await get(served, "/api/sessions")]
            await get(served, "/api/sessions", expected=400, cursor="nosuch")
    assert everything == [made[0], *reversed(made[1:])]
    assert found == [each for each in everything if made.index(each) % 3]
    assert pages == 3


async def test_a_session_is_renamed_and_one_put_away_is_passed_by(serving: Any, tmp_path: Path) -> None:
    database = tmp_path / "vega.db"
    with trio.fail_after(30):
        async with serving(["a", "b"], store=database) as served:
            await ask(served, "one")
            [first] = await get(served, "/api/sessions")
            path = f"/api/sessions/{first['id']}"
            async with served.listening(types="session.*") as events:
                changed = await served.http.patch(path, json={"title": " Better  name ", "archived": True})
                told = await anext(events)
            await ask(served, "two")
            sessions = await get(served, "/api/sessions")
            for body in ({}, {"title": "x" * 81}, {"title": 3}, {"user": "ann"}):
                refused = await served.http.patch(path, json=body)
                assert refused.status_code == 400, body
        async with serving(["c"], store=database) as served:
            await ask(served, "three")
            after = await get(served, "/api/sessions")
    assert (changed.json()["title"], changed.json()["archived"]) == ("Better name", True)
    assert told.data["data"]["session_id"] == first["id"]
    assert {each["title"] for each in sessions} == {"Better name", "two"}
    assert {each["title"]: each["message_count"] for each in after} == {"Better name": 2, "two": 4}


async def test_a_deleted_session_is_gone_with_its_turn_and_messages(serving: Any) -> None:
    reached = trio.Event()

    async def endless(request: ModelRequest) -> str:
        reached.set()
        await trio.sleep_forever()
        raise AssertionError

    with trio.fail_after(30):
        async with serving([endless, "fresh"]) as served:
            async with served.streaming("one") as frames:
                await reached.wait()
                [session] = await get(served, "/api/sessions")
                deleted = await served.http.delete(f"/api/sessions/{session['id']}")
                ends = [frame.event async for frame in frames]
            for path in ("", "/messages", "/export"):
                await get(served, f"/api/sessions/{session['id']}{path}", 404)
            again = await served.http.delete(f"/api/sessions/{session['id']}")
            none = await served.http.post("/api/agents/assistant/chat", json={"message": "x", "session": session["id"]})
            await ask(served, "two")
            [after] = await get(served, "/api/sessions")
    assert deleted.json() == {"status": "deleted"}
    assert ends[-1] == "done"
    assert again.status_code == none.status_code == 404
    assert after["id"] != session["id"]
    assert after["message_count"] == 2


async def test_messages_are_given_in_parts_and_exported_as_files(serving: Any) -> None:
    call = ToolCall("tc_1", "lookup", {"word": "trio"})
    with trio.fail_after(30):
        async with serving([["Looking", call], ". Done"], tools=[lookup]) as served:
            await ask(served, "Look it up")
            [session] = await get(served, "/api/sessions")
            path = f"/api/sessions/{session['id']}"
            messages = await get(served, f"{path}/messages")
            page = await served.http.get(f"{path}/messages?limit=3")
            markdown = await served.http.get(f"{path}/export")
            whole = await served.http.get(f"{path}/export?format=json")
            wrong = await get(served, f"{path}/export", 400, format="pdf")
    assert [each["role"] for each in messages] == ["user", "assistant", "user", "assistant"]
    assert [part["type"] for part in messages[1]["parts"]] == ["text", "tool_call"]
    assert messages[2]["parts"][0]["tool_call_id"] == "tc_1"
    assert len({each["turn_id"] for each in messages}) == 1
    assert len(page.json()) == 3
    assert "next" in page.links
    assert markdown.headers["content-disposition"] == f'attachment; filename="session-{session["id"]}.md"'
    assert "````\n```trio```\n````" in markdown.text
    assert markdown.text.startswith("# Look it up\n")
    assert whole.headers["content-disposition"].endswith('.json"')
    assert whole.json()["messages"] == messages
    assert wrong["field"] == "format"


async def test_a_session_cannot_be_begun_with_nobody(serving: Any) -> None:
    with trio.fail_after(30):
        async with serving() as served:
            answers = [
                await served.http.post("/api/sessions", json=body) for body in ({"agent": "nobody"}, {}, {"agent": 3})
            ]
    assert [each.status_code for each in answers] == [404, 400, 400]
