"""A real `vega serve` with a bot, killed between taking a message and answering it."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path

import pytest
import trio
from served import fetch, served

from vega_trio.testing.fake_telegram import TOKEN, FakeTelegram, Fault, Sent

pytestmark = pytest.mark.e2e

USER = 7
TEXT = """
name: phoned
agents:
  assistant: {system: You help.}
"""


async def test_a_message_taken_before_a_kill_is_answered_once_after_it(tmp_path: Path) -> None:
    document, database = tmp_path / "phoned.vega.yaml", tmp_path / "phoned.db"
    document.write_text(TEXT)
    with trio.fail_after(90):
        async with FakeTelegram().open() as telegram:
            env = {"TELEGRAM_BOT_TOKEN": TOKEN, "TELEGRAM_BASE_URL": telegram.base_url, "TELEGRAM_ALLOW": str(USER)}
            telegram.fail("sendMessage", *[Fault(502, "Bad Gateway")] * 100)
            taken = telegram.write(USER, "hello there")
            with served(document, database, env=env) as (process, _):
                # Asking for the next one says that this one was taken; its answer is sent in vain.
                await telegram.until(lambda: telegram.polls and telegram.polls[-1] == taken + 1)
                await telegram.until(lambda: len(telegram.faults["sendMessage"]) < 100)
                await _kill(process)
            telegram.faults.clear()
            later = telegram.write(USER, "/status")
            with served(document, database, env=env) as (process, url):
                await telegram.until(lambda: telegram.polls[-1] == later + 1 and _is_complete(telegram))
                chat = await trio.to_thread.run_sync(fetch, url, f"/api/agents/hermes:{USER}/chat")
                assert [each["role"] for each in chat] == ["user", "assistant"]
                assert chat[0]["content"] == "hello there"
                assert len(telegram.said(USER)) == 2
                await _kill(process)


async def test_a_user_pairs_has_mother_make_a_team_and_hermes_bring_it_a_goal(tmp_path: Path) -> None:
    """The dialogues with which the README presents Mother, Hermes and the bot, on the demo model."""
    document, database, log = tmp_path / "phoned.vega.yaml", tmp_path / "phoned.db", list[str]()
    document.write_text(TEXT)
    with trio.fail_after(90):
        async with FakeTelegram().open() as telegram:
            env = {"TELEGRAM_BOT_TOKEN": TOKEN, "TELEGRAM_BASE_URL": telegram.base_url}
            with served(document, database, env=env, log=log) as (process, url):
                await telegram.until(lambda: telegram.polls)
                assert any(line.rstrip().endswith("telegram bot started agent=hermes") for line in log)
                (code,) = re.findall(r"telegram pairing code: (\d{6})$", "".join(log), re.MULTILINE)
                assert "paired" in await _told(telegram, code)
                assert await _told(telegram, "/use mother") == "You talk to mother now."
                made = await _told(telegram, "I need an agent that researches competitors")
                assert "I'll create a researcher with web tools and a lead" in made
                agents = await trio.to_thread.run_sync(fetch, url, "/api/agents")
                assert {"researcher", "lead"} < {each["name"] for each in agents}
                assert await _told(telegram, "/use hermes") == "You talk to hermes now."
                goal = "Do a competitive analysis of our top 3 competitors and write it up"
                result = await _told(telegram, goal)
                assert "Researched in 3 parts by researcher, written by writer" in result
                chat = await trio.to_thread.run_sync(fetch, url, f"/api/agents/hermes:{USER}/chat")
                assert (chat[0]["role"], chat[0]["content"]) == ("user", goal)
                assert chat[1]["content"].strip() == result.strip()
                await _kill(process)
    written = "".join(log) + database.read_bytes().decode(errors="replace")
    assert TOKEN not in written
    assert TOKEN.partition(":")[2] not in written


async def _told(telegram: FakeTelegram, text: str) -> str:
    """What the bot answers to a message, whole."""
    before = len(telegram.messages)
    telegram.write(USER, text)
    await telegram.until(lambda: len(telegram.messages) > before and not any(map(_growing, telegram.messages.values())))
    return "".join(telegram.said(USER)[before:])


def _growing(sent: Sent) -> bool:
    return "Stop" in sent.buttons


def _is_complete(telegram: FakeTelegram) -> bool:
    """Whether both answers are there, and none is still growing."""
    shown = telegram.messages.values()
    return len(shown) == 2 and not any(sent.buttons for sent in shown)


async def _kill(process: subprocess.Popen[str]) -> None:
    process.kill()
    await trio.to_thread.run_sync(process.wait)
