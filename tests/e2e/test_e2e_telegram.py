"""A real `vega serve` with a bot, killed between taking a message and answering it."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest
import trio
from served import fetch, served

from vega_trio.testing.fake_telegram import TOKEN, FakeTelegram, Fault

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


def _is_complete(telegram: FakeTelegram) -> bool:
    """Whether both answers are there, and none is still growing."""
    shown = telegram.messages.values()
    return len(shown) == 2 and not any(sent.buttons for sent in shown)


async def _kill(process: subprocess.Popen[str]) -> None:
    process.kill()
    await trio.to_thread.run_sync(process.wait)
