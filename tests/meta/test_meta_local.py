"""Hermes with a real model: real tokens, a real conversation."""

from __future__ import annotations

from pathlib import Path

import pytest
import trio

import vega_trio as vega

pytestmark = pytest.mark.e2e
DOCUMENT = "agents:\n  helper: {model: local, system: You help.}\n"


async def test_hermes_keeps_up_a_conversation_in_real_tokens(model_home: Path, tmp_path: Path) -> None:
    path = tmp_path / "one.vega.yaml"
    path.write_text(DOCUMENT)
    env = {"VEGA_MAX_TOKENS": "12"}
    with trio.fail_after(120):
        async with vega.open_app(path, model="local", meta=True, home=model_home, env=env) as app:
            hermes = vega.Session("hermes")
            replies = [await app.ask(hermes, text) for text in ("Say hello to me.", "And now good bye.")]
            said = await app.transcript(hermes)
    assert [each.content for each in said[1::2]] == [reply.text for reply in replies]
    assert all(reply.text.strip() and 1 <= reply.usage.output_tokens <= 12 for reply in replies)
    assert replies[1].usage.input_tokens + replies[1].usage.cache_read_tokens > replies[0].usage.input_tokens
