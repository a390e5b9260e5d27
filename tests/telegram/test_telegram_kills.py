"""A program that dies between any two of its writes: no message is lost, none is answered twice."""

from __future__ import annotations

import os
from typing import Any

import attrs
import trio
from talks import ME, open_server, talking
from trio.testing import MockClock, wait_all_tasks_blocked

from vega_trio.changes import Change
from vega_trio.messages import ToolCall
from vega_trio.session import Session
from vega_trio.store.commit import StoreCommit
from vega_trio.testing import FakeTool, MemoryStore, ScriptedModel

EVERY = bool(os.environ.get("VEGA_KILLS"))
"""Dies at each write; otherwise at each third one."""


@attrs.define(eq=False)
class DyingStore:
    """Writes `writes` changes down and then no more, as if the program had been killed; who waits, waits."""

    inner: MemoryStore
    writes: int
    dead: trio.Event = attrs.field(factory=trio.Event)
    buried: bool = False
    waiting: list[StoreCommit] = attrs.field(factory=list)

    def submit(self, change: Change) -> Any:
        if self.writes:
            self.writes -= 1
            return self.inner.submit(change)
        self.dead.set()
        commit = StoreCommit()
        if self.buried:
            commit.settle(range(10**9))
        self.waiting.append(commit)
        return commit

    def bury(self) -> None:
        """Lets go who waits, so that the program can be cleared away; nothing is written any more."""
        self.buried = True
        for commit in self.waiting:
            if not commit.done:
                commit.settle(range(10**9))

    def __getattr__(self, name: str) -> Any:
        return getattr(self.inner, name)


async def test_a_message_is_answered_once_wherever_the_program_dies(clock: MockClock) -> None:
    deaths, at = 0, 0
    with trio.fail_after(3600):
        while await _dies(at):
            deaths += 1
            at += 1 if EVERY else 3
    assert deaths >= 4


async def _dies(at: int) -> bool:
    """Whether the program got so far as to die at its write number `at`; another one takes over."""
    store, model = MemoryStore(), ScriptedModel(lambda request: "hello")
    async with open_server(None) as server:
        dying = DyingStore(store, at)
        with trio.CancelScope() as life:
            async with talking(model, server=server, store=dying) as talk:
                server.write(ME, "hi")
                async with trio.open_nursery() as nursery:
                    nursery.start_soon(_until, dying.dead.wait, nursery)
                    nursery.start_soon(_until, _answered(talk), nursery)
                life.cancel()
                dying.bury()
        before = server.said(ME)
        async with talking(model, server=server, store=store) as talk:
            shown = await talk.answered()
            server.write(ME, "/status")
            shown = await talk.answered(len(shown) + 1)
            said = await talk.app.transcript(Session("assistant", str(ME)))
            assert [each.content for each in said] == ["hi", "hello"], at
            answers = [text for text in shown if text == "hello"]
            assert 1 <= len(answers) <= 1 + len(before), (at, shown)
            await wait_all_tasks_blocked(0.01)
            assert not await store.records.query("channel_offset", kind="letter")
        return dying.dead.is_set()


def _answered(talk: Any) -> Any:
    async def settled() -> None:
        await talk.answered()
        await wait_all_tasks_blocked(0.01)

    return settled


async def _until(wait: Any, nursery: trio.Nursery) -> None:
    await wait()
    nursery.cancel_scope.cancel()


async def test_an_approval_that_is_asked_for_waits_through_a_kill(clock: MockClock) -> None:
    store, tool = MemoryStore(), FakeTool("launch", "done")
    with trio.fail_after(300), ScriptedModel(STEPS) as model:
        async with open_server(None) as server:
            question = await _killed_while_asking(server, model, store, tool)
            async with talking(model, server=server, store=store, tools=[tool], needing_approval=["launch"]):
                assert not tool.calls
                server.press(ME, question, "Approve")
                await server.until(lambda: "over" in server.said(ME)[-1])
                assert len(tool.calls) == 1
                assert not _asking(server)


STEPS = [ToolCall("c1", "launch", {"where": "moon"}), "over"]


async def _killed_while_asking(server: Any, model: Any, store: MemoryStore, tool: FakeTool) -> Any:
    """The message that asks."""
    dying = DyingStore(store, -1)
    with trio.CancelScope() as life:
        async with talking(model, server=server, store=dying, tools=[tool], needing_approval=["launch"]):
            server.write(ME, "launch it")
            await server.until(lambda: _asking(server))
            await wait_all_tasks_blocked(0.01)
            dying.writes = 0
            life.cancel()
            dying.bury()
    (question,) = _asking(server)
    return question


def _asking(server: Any) -> list[Any]:
    return [sent for sent in server.messages.values() if "Approve" in sent.buttons]


async def test_a_press_that_was_taken_before_a_kill_counts_after_it(clock: MockClock) -> None:
    """It is recorded with the position: Telegram does not send it again."""
    store, tool = MemoryStore(), FakeTool("launch", "done")
    with trio.fail_after(300), ScriptedModel(STEPS) as model:
        async with open_server(None) as server:
            question = await _killed_while_asking(server, model, store, tool)
            dying, polls = DyingStore(store, -1), len(server.polls)
            with trio.CancelScope() as life:
                async with talking(model, server=server, store=dying, tools=[tool], needing_approval=["launch"]):
                    await server.until(lambda: len(server.polls) > polls)
                    await wait_all_tasks_blocked(0.01)
                    dying.writes = 1  # the one that takes the press
                    taken = server.press(ME, question, "Approve")
                    await dying.dead.wait()
                    life.cancel()
                    dying.bury()
            assert await store.records.query("channel_offset", kind="press")
            assert not tool.calls
            async with talking(model, server=server, store=store, tools=[tool], needing_approval=["launch"]):
                await server.until(lambda: "over" in server.said(ME)[-1])
                await server.until(lambda: server.polls[-1] == taken + 1)
                await wait_all_tasks_blocked(0.01)
                assert len(tool.calls) == 1
                assert not await store.records.query("channel_offset", kind="press")
