"""Whatever Telegram, the program or users do, each message is dealt with once."""

from __future__ import annotations

from collections import deque
from typing import Any

import pytest
import trio
from talks import ME, TOKEN, FakeTelegram, RefusingStore, open_server, talking
from trio.testing import MockClock, wait_all_tasks_blocked

from vega_trio.errors import ModelError
from vega_trio.messages import Usage
from vega_trio.session import ErrorClass, Session
from vega_trio.testing import MemoryStore, ScriptedModel, ScriptedReply
from vega_trio.testing.fake_telegram import Fault


@pytest.mark.parametrize(
    "fault",
    [
        Fault(429, "Too Many Requests: retry after 7", retry_after=7),
        Fault(409, "Conflict: terminated by other getUpdates request"),
        Fault(502, "Bad Gateway"),
        Fault(cut=True),
    ],
    ids=lambda fault: "cut" if fault.cut else str(fault.status),
)
async def test_polling_goes_on_after_a_fault(fault: Fault, clock: MockClock) -> None:
    with trio.fail_after(300), ScriptedModel(["hello"]) as model:
        async with open_server(None) as server:
            server.fail("getUpdates", fault, fault)
            async with talking(model, server=server) as talk:
                server.write(ME, "hi")
                began = trio.current_time()
                assert await talk.answered() == ["hello"]
                if fault.retry_after is not None:
                    assert trio.current_time() - began >= 2 * fault.retry_after


async def test_an_answer_waits_as_long_as_telegram_asks(clock: MockClock) -> None:
    with trio.fail_after(300), ScriptedModel(["hello"]) as model:
        async with talking(model) as talk:
            talk.server.fail("sendMessage", Fault(429, "Too Many Requests", retry_after=11))
            began = trio.current_time()
            talk.server.write(ME, "hi")
            assert await talk.answered() == ["hello"]
            assert trio.current_time() - began >= 11


async def test_an_edit_that_was_refused_for_a_while_is_made_up_for(clock: MockClock) -> None:
    slow = ScriptedReply("one two three four five six", delay_s=1.5)
    with trio.fail_after(300), ScriptedModel([slow]) as model:
        async with talking(model) as talk:
            talk.server.fail("editMessageText", Fault(429, "Too Many Requests", retry_after=5), Fault(cut=True))
            talk.server.write(ME, "count")
            assert await talk.answered() == ["one two three four five six"]


async def test_a_user_who_blocks_the_bot_harms_nobody_else(clock: MockClock) -> None:
    with trio.fail_after(300):
        model = ScriptedModel(lambda request: f"to {request.messages[-1].text}")
        async with talking(model) as talk:
            talk.server.fail("sendMessage", Fault(403, "Forbidden: bot was blocked by the user"))
            talk.server.write(ME, "a")
            talk.server.write(ME, "b")
            assert await talk.answered() == ["to b"]
            await wait_all_tasks_blocked(0.01)
            assert not await talk.app.store.records.query("channel_offset", kind="letter")


async def test_a_refused_token_ends_the_bot_and_not_the_server(
    caplog: pytest.LogCaptureFixture, clock: MockClock
) -> None:
    with trio.fail_after(300), ScriptedModel(["still here"]) as model:
        async with talking(model, env={"TELEGRAM_BOT_TOKEN": "123456:another-token"}) as talk:
            bot = talk.app.orch.whereis("telegram:bot")
            assert bot is not None
            await bot.wait()
            assert "refuses the token" in caplog.text
            assert (await talk.app.ask(Session("assistant"), "hi")).text == "still here"
            assert "another-token" not in caplog.text


async def test_what_was_taken_is_answered_by_the_next_program(clock: MockClock) -> None:
    """The store stands for the disk: the first program ends before it can show anything."""
    store = MemoryStore()
    with trio.fail_after(300), ScriptedModel(["hello"]) as model:
        async with open_server(None) as server:
            server.fail("sendMessage", *[Fault(502, "Bad Gateway")] * 3)
            async with talking(model, server=server, store=store) as talk:
                update = server.write(ME, "hi")
                await server.until(lambda: len(server.faults["sendMessage"]) < 3)
                assert await talk.app.turn(f"tg-123456-{update}") is not None
            server.faults.clear()
            async with talking(model, server=server, store=store) as talk:
                assert await talk.answered() == ["hello"]
                server.write(ME, "/status")
                await talk.answered(2)
                said = await talk.app.transcript(Session("assistant", str(ME)))
                assert [each.content for each in said] == ["hi", "hello"]


async def test_an_answer_half_shown_goes_on_in_the_same_message(clock: MockClock) -> None:
    store = MemoryStore()
    first = ScriptedReply("one two three four five six seven", delay_s=2.0)
    with trio.fail_after(600):
        async with open_server(None) as server:
            async with talking(ScriptedModel([first]), server=server, store=store) as talk:
                server.write(ME, "count")
                await server.until(lambda: talk.busy(ME))
            (sent,) = server.messages.values()
            async with talking(ScriptedModel(["all of it"]), server=server, store=store) as talk:
                await server.until(lambda: not talk.busy(ME))
                assert list(server.messages) == [sent.id]
                assert "all of it" in sent.text


HOSTILE = "*bold* [link](tg://user?id=1) <b>x</b> \x00\x1b[31m\u202e " + "A" * 9000 + "\n```\n" + "`~" * 3000


async def test_what_a_model_says_is_shown_as_text_and_in_pieces(clock: MockClock) -> None:
    with trio.fail_after(300), ScriptedModel([HOSTILE]) as model:
        async with talking(model) as talk:
            talk.server.write(ME, "hi")
            pieces = await talk.answered(4)
            assert pieces[0].startswith("*bold* [link](tg://user?id=1) <b>x</b>")
            assert not any(char in "\x00\x1b\u202e" for char in "".join(pieces))
            assert not any("parse_mode" in given for _, given in talk.server.calls)


@pytest.mark.parametrize("text", ["\ud800\x00\x07x", "/" + "z" * 3000, "/use ../../etc/passwd\x00", "/use", "/ "])
async def test_hostile_text_of_a_user_is_no_more_than_text(text: str, clock: MockClock) -> None:
    with trio.fail_after(300):
        async with talking(ScriptedModel(lambda request: "fine")) as talk:
            talk.server.write(ME, text)
            await talk.answered()
            talk.server.write(ME, "still there?")
            assert "fine" in (await talk.answered(2))[-1]


async def test_a_message_too_long_to_keep_and_too_many_messages_are_refused(clock: MockClock) -> None:
    with trio.fail_after(300):
        async with talking(ScriptedModel(lambda request: ScriptedReply("ok", delay_s=1.0))) as talk:
            talk.server.write(ME, "A" * 100_000)
            assert "too long" in (await talk.answered())[0]
            for number in range(25):
                talk.server.write(ME, f"message {number}")
            await talk.server.until(lambda: any("Too many" in text for text in talk.server.said(ME)))


async def test_presses_of_others_do_nothing(clock: MockClock) -> None:
    endless = ScriptedReply("word " * 30, delay_s=1.0)
    with trio.fail_after(300), ScriptedModel([endless]) as model:
        async with talking(model, env={"TELEGRAM_ALLOW": "7,8"}) as talk:
            talk.server.write(ME, "go on")
            await talk.server.until(lambda: talk.busy(ME))
            (sent,) = talk.server.messages.values()
            for user in (8, 666):
                talk.server.press(user, sent, "Stop")
            await talk.answered()
            assert sent.text == ("word " * 30).strip()


async def test_retry_is_for_whoever_asked_and_for_a_turn_that_there_was(clock: MockClock) -> None:
    wrong = ModelError("no credit", ErrorClass.AUTHENTICATION)
    with trio.fail_after(300), ScriptedModel([wrong, "to seven", "to eight"]) as model:
        async with talking(model, env={"TELEGRAM_ALLOW": "7,8"}) as talk:
            talk.server.write(ME, "hi")
            await talk.answered()
            (sent,) = talk.server.messages.values()
            talk.server.press(8, sent, "Retry")
            sent.buttons["Never"] = "retry:nosuchturn"
            talk.server.press(ME, sent, "Never")
            talk.server.press(ME, sent, "Retry")
            await talk.server.until(lambda: "to seven" in talk.server.said(ME))
            talk.server.write(8, "hello")
            await talk.server.until(lambda: talk.server.said(8) == ["to eight"])
            bot = talk.app.orch.whereis("telegram:bot")
            assert bot is not None
            assert bot.incarnation == 1


def test_the_token_of_the_tests_is_the_fakes() -> None:
    assert FakeTelegram().token == TOKEN


@pytest.mark.parametrize(
    "update",
    [
        {"message": None},
        {"message": {"chat": {"id": "seven", "type": "private"}, "from": {"id": ME}, "text": "hi"}},
        {"message": {"chat": {"id": ME, "type": "private"}, "from": {"id": True}, "text": "hi"}},
        {"message": {"chat": {"id": ME, "type": "private"}, "from": {"id": ME}, "text": ["hi"]}},
        {"message": {"chat": {"id": 10**30, "type": "private"}, "from": {"id": ME}, "text": "hi"}},
        {"callback_query": {"id": 5, "from": {"id": ME}, "message": {"message_id": 1, "chat": {"id": ME}}}},
        {"callback_query": {"id": "q", "from": {"id": ME}, "data": "approve:x"}},
        {"poll": {"id": 1}},
        {},
    ],
    ids=repr,
)
async def test_an_update_that_cannot_be_read_is_passed_over_once(update: dict[str, Any], clock: MockClock) -> None:
    with trio.fail_after(60), ScriptedModel(["hello"]) as model:
        async with talking(model) as talk:
            talk.server.arrive(update)
            last = talk.server.write(ME, "hi")
            assert await talk.answered() == ["hello"]
            await talk.server.until(lambda: talk.server.polls[-1] == last + 1)
            bot = talk.app.orch.whereis("telegram:bot")
            assert bot is not None
            assert bot.incarnation == 1


@pytest.mark.parametrize("result", [None, {}, 5, "x", [5, {"update_id": "x"}, {"update_id": True}]], ids=repr)
async def test_an_answer_that_is_no_list_of_updates_is_asked_for_again(result: object, clock: MockClock) -> None:
    with trio.fail_after(300), ScriptedModel(["hello"]) as model:
        async with open_server(None) as server:
            server.answers["getUpdates"] = deque([result, result])
            async with talking(model, server=server) as talk:
                server.write(ME, "hi")
                assert await talk.answered() == ["hello"]
                bot = talk.app.orch.whereis("telegram:bot")
                assert bot is not None
                assert bot.incarnation == 1


async def test_a_message_that_breaks_the_bot_over_and_over_is_let_go(clock: MockClock) -> None:
    """Here the answer to it cannot be read: what Telegram says of it breaks whoever hears it."""
    with trio.fail_after(600):
        async with talking(ScriptedModel(lambda request: f"to {request.messages[-1].text}")) as talk:
            talk.server.answers["sendMessage"] = deque([{"message_id": "x"}] * 6)
            talk.server.write(ME, "poison")
            await talk.server.until(lambda: any("breaks me" in text for text in talk.server.said(ME)))
            talk.server.answers.clear()
            talk.server.write(ME, "and now?")
            await talk.server.until(lambda: "to and now?" in talk.server.said(ME))


async def test_what_cannot_be_recorded_stays_with_telegram_until_it_can(clock: MockClock) -> None:
    store = RefusingStore(MemoryStore())
    with trio.fail_after(300), ScriptedModel(["hello"]) as model:
        async with talking(model, store=store) as talk:
            await talk.server.until(lambda: talk.server.polls)
            store.full = True
            taken = talk.server.write(ME, "hi")
            await trio.sleep(30)
            assert talk.server.said(ME) == []
            assert taken + 1 not in talk.server.polls
            store.full = False
            assert await talk.answered() == ["hello"]
            assert talk.server.polls.count(None) >= 2


async def test_what_a_user_may_spend_in_a_day_holds_for_each_and_is_told(clock: MockClock) -> None:
    store, env = MemoryStore(), {"TELEGRAM_BUDGET": "$0.0056", "TELEGRAM_ALLOW": "7,8"}
    model = ScriptedModel(lambda request: ScriptedReply("fine", usage=Usage(100, 10)), price=50)
    with trio.fail_after(300):
        async with open_server(None) as server:
            async with talking(model, server=server, store=store, env=env, max_tokens=16) as talk:
                server.write(ME, "one")
                assert await talk.answered() == ["fine"]
                server.write(ME, "two")
                assert "budget is spent" in (await talk.answered(2))[-1]
                server.write(8, "one")
                assert await talk.answered(user=8) == ["fine"]
                server.write(ME, "/cost")
                assert "Today: $0.0055 of $0.0056." in (await talk.answered(3))[-1]
                await wait_all_tasks_blocked(0.01)
            async with talking(model, server=server, store=store, env=env, max_tokens=16) as talk:
                server.write(ME, "three")
                assert "budget is spent" in (await talk.answered(4))[-1]
