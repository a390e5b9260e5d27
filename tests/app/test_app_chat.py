"""Chat through the application: one process a session, its history kept, one door for every front."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import trio
import trio.testing

import vega_trio as vega
from vega_trio.app.chat import ChatMessage, with_question
from vega_trio.messages import Compact
from vega_trio.protocols import ModelRequest
from vega_trio.runtime.mail import Mail
from vega_trio.testing import MemoryStore, ScriptedModel

DOCUMENT = """
agents:
  helper:
    model: demo
    system: You help.
    tools: [double]
  other:
    model: demo
    system: You are the other one.
"""

HELPER = vega.Session("helper")


def double(number: int) -> int:
    """Doubles a number."""
    return 2 * number


@pytest.fixture(autouse=True)
async def _limit() -> AsyncIterator[None]:
    with trio.fail_after(5):
        yield


@pytest.fixture
def document(tmp_path: Path) -> Path:
    path = tmp_path / "team.vega.yaml"
    path.write_text(DOCUMENT)
    return path


async def collect(app: vega.App, session: vega.Session, text: str) -> list[vega.Event]:
    async with app.chat(session, text) as events:
        return [event async for event in events]


async def test_a_chat_streams_its_turn_and_its_transcript_has_one_message_per_side(document: Path) -> None:
    model = ScriptedModel([["Doubling. ", vega.ToolCall("t1", "double", {"number": 21})], "It is 42."])
    async with vega.open_app(document, model=model, tools=[double]) as app:
        events = await collect(app, HELPER, "double 21")
        assert isinstance(events[-1], vega.TurnFinished)
        user, assistant = await app.transcript(HELPER)
        assert (user.role, user.content) == ("user", "double 21")
        assert (assistant.role, assistant.content) == ("assistant", "Doubling. It is 42.")
        (use,) = assistant.tool_calls
        assert (use.tool_name, use.arguments, use.result, use.error) == ("double", {"number": 21}, "42", False)


async def test_messages_of_one_session_reach_one_process_and_sessions_do_not_mix(document: Path) -> None:
    model = ScriptedModel(["one", "two", "three"])
    async with vega.open_app(document, model=model, tools=[double]) as app:
        await app.ask(HELPER, "first")
        await app.ask(HELPER, "second")
        await app.ask(vega.Session("helper", user="ann"), "hers")
        assert len(app.orch.processes()) == 2
        assert [m.content for m in await app.transcript(vega.Session("helper", user="ann"))] == ["hers", "three"]
    assert len(model.requests[1].messages) == 3
    assert len(model.requests[2].messages) == 1


async def test_two_first_messages_at_once_start_one_process(document: Path) -> None:
    async with vega.open_app(document, model=ScriptedModel(["a", "b"]), tools=[double]) as app:
        async with trio.open_nursery() as nursery:
            nursery.start_soon(app.ask, HELPER, "x")
            nursery.start_soon(app.ask, HELPER, "y")
        assert len(app.orch.processes()) == 1


async def test_a_conversation_goes_on_after_the_program_was_started_again(document: Path) -> None:
    store = MemoryStore()
    async with vega.open_app(document, model=ScriptedModel(["hello Ann"]), tools=[double], store=store) as app:
        await app.ask(HELPER, "I am Ann")
        (before,) = app.orch.processes()
    second = ScriptedModel(["Ann"])
    async with vega.open_app(document, model=second, tools=[double], store=store) as app:
        assert [m.content for m in await app.transcript(HELPER)] == ["I am Ann", "hello Ann"]
        assert (await app.ask(HELPER, "who am I?")).text == "Ann"
        (after,) = app.orch.processes()
        assert after.id == before.id
        assert (await app.stats()).total_processes == 1
    assert [m.text for m in second.requests[0].messages] == ["I am Ann", "hello Ann", "who am I?"]


async def test_an_idle_process_stops_and_comes_back_under_its_id(
    document: Path, autojump_clock: trio.testing.MockClock
) -> None:
    document.write_text(DOCUMENT + "settings:\n  idle_stop: 60s\n")
    async with vega.open_app(document, model=ScriptedModel(["one", "two"]), tools=[double]) as app:
        await app.ask(HELPER, "first")
        (process,) = app.orch.processes()
        with trio.fail_after(100):
            assert isinstance(await process.wait(), vega.Normal)
        assert app.orch.processes() == []
        await app.ask(HELPER, "second")
        assert [each.id for each in app.orch.processes()] == [process.id]
        assert len(await app.transcript(HELPER)) == 4


async def test_clearing_forgets_the_conversation(document: Path) -> None:
    model = ScriptedModel(["one", "two"])
    async with vega.open_app(document, model=model, tools=[double]) as app:
        await app.ask(HELPER, "first")
        await app.clear(HELPER)
        assert await app.transcript(HELPER) == []
        await app.ask(HELPER, "second")
    assert [m.text for m in model.requests[1].messages] == ["second"]


async def test_stopping_keeps_the_partial_answer_in_the_transcript(document: Path) -> None:
    waiting = trio.Event()

    async def hang() -> str:
        waiting.set()
        await trio.sleep_forever()
        return ""

    document.write_text(DOCUMENT.replace("double", "hang"))
    model = ScriptedModel([["Wait. ", vega.ToolCall("t1", "hang", {})]])
    async with vega.open_app(document, model=model, tools=[hang]) as app, trio.open_nursery() as nursery:
        ended: list[vega.Event] = []

        async def chat() -> None:
            ended.extend(await collect(app, HELPER, "go"))

        nursery.start_soon(chat)
        await waiting.wait()
        status = await app.chat_status(HELPER)
        assert status.streaming
        assert await app.stop_turn(HELPER) == status.turn_id
        assert not (await app.chat_status(HELPER)).streaming
        assert [m.content for m in await app.transcript(HELPER)] == ["go", "Wait. "]
    assert isinstance(ended[-1], vega.TurnStopped)


async def test_a_crash_in_a_chat_is_restarted_and_the_same_stream_goes_on(
    document: Path, autojump_clock: trio.testing.MockClock
) -> None:
    model = ScriptedModel([["half an ", RuntimeError("adapter bug")], "A whole answer."])
    async with vega.open_app(document, model=model, tools=[double]) as app:
        events = await collect(app, HELPER, "go")
        kinds = [event.type for event in events]
        assert kinds.index("process.failed") < kinds.index("process.restarted") < kinds.index("turn.resumed")
        assert events[-1].type == "turn.finished"
        assert [m.content for m in await app.transcript(HELPER)] == ["go", "A whole answer."]


async def test_the_question_of_a_turn_that_is_about_to_begin_is_a_part_of_the_conversation() -> None:
    earlier = [ChatMessage(id="t0:user", role="user", content="hello", created_at=1.0)]
    for sent in ("and now?", vega.Message("user", "and now?")):
        mail = Mail("t1", sent)
        (first, asked) = with_question(earlier, mail, 2.0)
        assert (first, asked.id, asked.content, asked.created_at) == (earlier[0], "t1:user", "and now?", 2.0)
        assert with_question([*earlier, asked], mail, 3.0) == [*earlier, asked]  # the turn has begun
    assert with_question(earlier, Mail("t1", Compact()), 2.0) == earlier


@pytest.mark.parametrize("subtree", [False, True])
async def test_to_kill_what_is_not_there_is_an_error_by_itself(tmp_path: Path, subtree: bool) -> None:
    async with vega.open_app(model=ScriptedModel(), env={}, home=tmp_path) as app:
        with pytest.raises(vega.UnknownProcess, match="'nobody'"):
            await app.kill("nobody", subtree=subtree)


async def test_a_killed_session_answers_again_at_the_next_message(document: Path) -> None:
    async with vega.open_app(document, model=ScriptedModel(["one", "two"]), tools=[double]) as app:
        await app.ask(HELPER, "first")
        (process,) = app.orch.processes()
        await app.kill(process.id)
        assert [row.status for row in await app.processes()] == ["failed"]
        assert (await app.ask(HELPER, "second")).text == "two"
        assert len(await app.transcript(HELPER)) == 4


async def test_an_unknown_agent_is_named_with_a_suggestion(document: Path) -> None:
    async with vega.open_app(document, model=ScriptedModel([]), tools=[double]) as app:
        with pytest.raises(vega.UnknownAgent, match="'helpr' is not defined; did you mean 'helper'"):
            await app.ask(vega.Session("helpr"), "hi")


async def test_a_tool_that_does_not_exist_is_found_at_the_start(document: Path) -> None:
    with pytest.raises((vega.ConfigError, vega.DocumentError), match="double"):
        async with vega.open_app(document, model=ScriptedModel([])):
            raise AssertionError("it opened")


async def test_the_store_is_told_of_every_event_in_order(document: Path) -> None:
    store = MemoryStore()
    async with vega.open_app(document, model=ScriptedModel(["hi"]), tools=[double], store=store) as app:
        async with app.subscribe() as events:
            await app.ask(HELPER, "hello")
            heard = []
            async for event in events:
                heard.append(event)
                if event.type == "turn.finished":
                    break
        stored = await store.events_after(0)
        assert [event.id for event in heard if event.id] == [each.id for each in stored]
        assert [each.type for each in stored] == ["process.started", "turn.started", "turn.finished"]


async def test_a_message_to_a_full_mailbox_is_refused_rather_than_kept_waiting(document: Path) -> None:
    blocked = trio.Event()

    async def block(request: object) -> str:
        await blocked.wait()
        return "done"

    async with vega.open_app(document, model=ScriptedModel(block), tools=[double]) as app:
        async with app.chat(HELPER, "first") as events:
            async for _ in events:
                break
            (process,) = app.orch.processes()
            for number in range(process.mailbox.capacity):
                process.post_nowait(f"message {number}")
            with pytest.raises(vega.MailboxFull, match="64 messages waiting already"):
                async with app.chat(HELPER, "one too many"):
                    raise AssertionError("it was taken")
        blocked.set()


async def test_clearing_drops_the_messages_that_wait_and_leaves_no_trace(document: Path) -> None:
    begun = trio.Event()

    async def answer(request: ModelRequest) -> str:
        if request.messages[-1].text == "slow":
            begun.set()
            await trio.sleep_forever()
        return "fresh"

    async with vega.open_app(document, model=ScriptedModel(answer), tools=[double]) as app:
        cancelled: list[str] = []

        async def ask(text: str) -> None:
            try:
                await app.ask(HELPER, text)
            except vega.TurnCancelled:
                cancelled.append(text)

        async with trio.open_nursery() as nursery:
            nursery.start_soon(ask, "slow")
            await begun.wait()
            for _ in range(3):
                nursery.start_soon(ask, "waiting")
            await trio.testing.wait_all_tasks_blocked()
            await app.clear(HELPER)
        assert sorted(cancelled) == ["slow", "waiting", "waiting", "waiting"]
        assert await app.transcript(HELPER) == []
        assert (await app.ask(HELPER, "new")).text == "fresh"
        (process,) = app.orch.processes()
        assert process.incarnation == 1


async def test_a_session_without_a_message_yet_can_be_used_by_its_id(document: Path) -> None:
    async with vega.open_app(document, model=ScriptedModel(["hi"]), tools=[double]) as app:
        session = await app.resolve(HELPER)
        await app.clear(session)
        assert await app.transcript(session) == []
        assert (await app.ask(session, "hello")).text == "hi"
