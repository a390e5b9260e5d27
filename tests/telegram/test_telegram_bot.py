"""The bot as its users meet it."""

from __future__ import annotations

import logging
import re

import pytest
import trio
from talks import ME, STRANGER, talking
from trio.testing import MockClock

from vega_trio.messages import ToolCall
from vega_trio.session import Session
from vega_trio.testing import FakeTool, ScriptedModel, ScriptedReply


async def test_an_answer_that_comes_at_once_is_one_message(clock: MockClock) -> None:
    with trio.fail_after(30), ScriptedModel(["hello *you*"]) as model:
        async with talking(model) as talk:
            talk.server.write(ME, "hi")
            assert await talk.answered() == ["hello *you*"]
            said = await talk.app.transcript(Session("assistant", str(ME)))
            assert [each.content for each in said] == ["hi", "hello *you*"]


async def test_a_long_answer_is_edited_at_most_every_three_seconds(clock: MockClock) -> None:
    slow = ScriptedReply("one two three four five six seven eight nine ten", delay_s=1.0)
    with trio.fail_after(60), ScriptedModel([slow]) as model:
        async with talking(model) as talk:
            talk.server.write(ME, "count")
            await talk.answered()
            (sent,) = talk.server.messages.values()
            assert sent.text == "one two three four five six seven eight nine ten"
            assert len(sent.texts) >= 3
            assert min(b - a for a, b in zip(sent.at, sent.at[1:], strict=False)) >= 3.0
            assert any(method == "sendChatAction" for method, _ in talk.server.calls)


async def test_a_stranger_is_refused_once_and_no_model_is_called(clock: MockClock) -> None:
    with trio.fail_after(30), ScriptedModel(["yes"]) as model:
        async with talking(model) as talk:
            talk.server.write(STRANGER, "let me in")
            talk.server.write(STRANGER, "please")
            talk.server.write(ME, "hi")
            await talk.answered()
            assert len(talk.server.said(STRANGER)) == 1
            assert "private" in talk.server.said(STRANGER)[0]
            assert str(STRANGER) not in str(await talk.app.store.records.query("channel_offset"))


async def test_a_stranger_with_the_code_of_the_log_is_let_in(
    caplog: pytest.LogCaptureFixture, clock: MockClock
) -> None:
    with trio.fail_after(30), ScriptedModel(["welcome"]) as model, caplog.at_level(logging.INFO, "vega_trio.telegram"):
        async with talking(model, env={"TELEGRAM_ALLOW": ""}) as talk:
            await talk.server.until(lambda: talk.server.polls)
            assert "telegram bot started agent=assistant" in caplog.text
            code = re.search(r"telegram pairing code: (\d{6})$", caplog.text, re.MULTILINE)
            assert code is not None
            talk.server.write(STRANGER, f" {code[1]}\n")
            talk.server.write(STRANGER, "hello")
            assert "welcome" in await talk.answered(2, STRANGER)


async def test_groups_are_passed_over(clock: MockClock) -> None:
    with trio.fail_after(30), ScriptedModel(["yes"]) as model:
        async with talking(model) as talk:
            talk.server.write(ME, "hi all", chat="supergroup")
            talk.server.write(ME, "hi")
            await talk.answered()
            assert len(talk.server.messages) == 1


async def test_messages_of_one_user_are_answered_in_order_and_users_are_apart(clock: MockClock) -> None:
    with trio.fail_after(60):
        answer = ScriptedModel(lambda request: ScriptedReply(f"to {request.messages[-1].text}", delay_s=0.2))
        async with talking(answer, env={"TELEGRAM_ALLOW": "7, 8"}) as talk:
            for text in ("a", "b", "c"):
                talk.server.write(ME, text)
            talk.server.write(8, "other")
            assert await talk.answered(3) == ["to a", "to b", "to c"]
            assert await talk.answered(1, 8) == ["to other"]
            assert len(await talk.app.transcript(Session("assistant", "8"))) == 2


async def test_the_stop_button_stops_the_answer(clock: MockClock) -> None:
    endless = ScriptedReply("word " * 500, delay_s=1.0)
    with trio.fail_after(2000), ScriptedModel([endless]) as model:
        async with talking(model) as talk:
            talk.server.write(ME, "go on and on")
            await talk.server.until(lambda: talk.busy(ME))
            (sent,) = talk.server.messages.values()
            talk.server.press(ME, sent, "Stop")
            await talk.server.until(lambda: "(stopped)" in sent.text)
            assert not sent.buttons


@pytest.mark.parametrize(("button", "calls"), [("Approve", 1), ("Deny", 0)])
async def test_a_call_that_needs_approval_waits_for_the_button(button: str, calls: int, clock: MockClock) -> None:
    tool = FakeTool("launch", "done")
    steps = [ToolCall("c1", "launch", {"where": "moon"}), "over"]
    with trio.fail_after(60), ScriptedModel(steps) as model:
        async with talking(model, tools=[tool], needing_approval=["launch"]) as talk:
            talk.server.write(ME, "launch it")

            def asking() -> object:
                return [sent for sent in talk.server.messages.values() if button in sent.buttons]

            await talk.server.until(asking)
            (question,) = asking()  # type: ignore[misc]
            assert "moon" in question.text
            talk.server.press(ME, question, button)
            await talk.server.until(lambda: any("over" in text for text in talk.server.said(ME)))
            assert len(tool.calls) == calls
            await talk.server.until(lambda: not question.buttons)


async def test_a_failed_turn_says_so_plainly_and_can_be_tried_again(clock: MockClock) -> None:
    from vega_trio.errors import ModelError
    from vega_trio.session import ErrorClass

    wrong = ModelError("invalid x-api-key sk-ant-...", ErrorClass.AUTHENTICATION)
    with trio.fail_after(60), ScriptedModel([wrong, "now it works"]) as model:
        async with talking(model) as talk:
            talk.server.write(ME, "hi")
            (text,) = await talk.answered()
            assert "sk-ant" not in text
            assert "key" in text
            (sent,) = talk.server.messages.values()
            talk.server.press(ME, sent, "Retry")
            assert "now it works" in await talk.answered(2)
            assert not sent.buttons


async def test_the_commands_answer(clock: MockClock) -> None:
    with trio.fail_after(60), ScriptedModel(["one", "two", "three"], price=1000) as model:
        async with talking(model) as talk:

            async def command(text: str) -> str:
                count = len(talk.server.messages)
                talk.server.write(ME, text)
                return (await talk.answered(count + 1))[-1]

            assert "/agents" in await command("/help")
            assert "reviewer" in await command("/agents")
            assert await command("hi") == "one"
            first = await talk.app.resolve(Session("assistant", str(ME)))
            await command("/new@fake_bot")
            assert await talk.app.resolve(Session("assistant", str(ME))) != first
            assert "$0.0150" in await command("/cost")
            assert "idle" in await command("/status")
            assert "nothing" in await command("/stop")
            assert "not" in await command("/use nobody")
            await command("/use reviewer")
            assert await command("hi") == "two"
            assert len(await talk.app.transcript(Session("reviewer", str(ME)))) == 2
            assert "no command /dance" in await command("/dance")
            assert "text only" in await command(None)  # type: ignore[arg-type]
            assert await command("bye") == "three"
