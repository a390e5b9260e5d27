"""Forks: the conversation as it stood after any of its events."""

from __future__ import annotations

from pathlib import Path

import pytest
import trio

import vega_trio as vega
from vega_trio.app.fork import messages_after
from vega_trio.testing import MemoryStore, ScriptedModel

DOCUMENT = """
agents:
  helper: {model: demo, system: You help., tools: [look]}
"""
HELPER = vega.Session("helper")


def look() -> str:
    """Looks."""
    return "seen"


async def test_a_fork_goes_on_from_the_event_and_leaves_its_origin_alone(tmp_path: Path) -> None:
    document, store = tmp_path / "team.vega.yaml", MemoryStore()
    document.write_text(DOCUMENT)
    calls = [vega.ToolCall("t1", "look", {})]
    model = ScriptedModel([calls, "first", "second", "otherwise"])
    with trio.fail_after(10):
        async with vega.open_app(document, model=model, store=store, tools=[look]) as app:
            await app.ask(HELPER, "one")
            after_first = await store.last_event_id()
            await app.ask(HELPER, "two")
            (origin,) = await app.processes()
            process = await app.fork(origin.id, at=after_first, system="You differ.")
            assert process.session is not None
            assert (await app.ask(process.session, "three")).text == "otherwise"
            assert len((await app.process(origin.id)).messages) == 6
            with pytest.raises(vega.InputError, match="there is no event 99999"):
                await app.fork(origin.id, at=99999)
            with pytest.raises(vega.UnknownProcess):
                await app.fork("nobody", at=1)
        said = [message.text for message in model.requests[-1].messages if message.text]
        assert said == ["one", "first", "three"]
        assert model.requests[-1].system == "You differ."


async def test_each_event_knows_the_messages_that_were_there(tmp_path: Path) -> None:
    document, store = tmp_path / "team.vega.yaml", MemoryStore()
    document.write_text(DOCUMENT)
    calls = [vega.ToolCall("t1", "look", {}), vega.ToolCall("t2", "look", {})]
    with trio.fail_after(10):
        model = ScriptedModel([calls, [vega.ToolCall("t1", "look", {})], "done"])
        async with vega.open_app(document, model=model, store=store, tools=[look]) as app:
            await app.ask(HELPER, "one")
            (origin,) = await app.processes()
            rows = await store.messages(origin.id)
            events = [each for each in await store.events_after(0) if each.process_id == origin.id]
    counts = {event.type: len(messages_after(rows, events[: at + 1])) for at, event in enumerate(events)}
    growth = [len(messages_after(rows, events[: at + 1])) for at in range(len(events))]
    assert growth == sorted(growth)
    assert [events[at].type for at in range(len(events)) if at == 0 or growth[at] > growth[at - 1]] == [
        "process.started",
        "turn.started",
        "tool.started",
        "tool.finished",
        "tool.finished",
        "tool.started",
        "tool.finished",
        "turn.finished",
    ]
    assert counts["turn.finished"] == len(rows) == 7
