"""Whatever a model does and wherever a program dies, the stored conversation is one that a provider accepts."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress

import trio
from hypothesis import given, settings
from hypothesis import strategies as st
from trio.testing import MockClock

import vega_trio as vega
from vega_trio._core.history import mended
from vega_trio.changes import AppendMessage, Change, Together
from vega_trio.messages import Message, ToolCall
from vega_trio.protocols import Commit
from vega_trio.store.memory import MemoryStore
from vega_trio.testing import ScriptedModel
from vega_trio.testing.scripted import Scripted

TOOLS = ("works", "fails", "crashes", "missing", "hangs")


class Recording(MemoryStore):
    """Keeps what each transaction added to conversations: a kill leaves all of some of the first of them."""

    def __init__(self) -> None:
        super().__init__()
        self.written: list[tuple[Message, ...]] = []

    def submit(self, change: Change) -> Commit:
        commit = super().submit(change)
        if commit.error is None:
            self.written.append(tuple(_messages(change)))
        return commit


def _messages(change: Change) -> list[Message]:
    match change:
        case AppendMessage(row):
            return [row.message]
        case Together(changes):
            return [message for each in changes for message in _messages(each)]
        case _:
            return []


async def works() -> str:
    """Works."""
    return "done"


async def fails() -> str:
    """Fails."""
    raise ValueError("no")


async def crashes() -> str:
    """Ends its process."""
    raise vega.ProcessExit(vega.Crashed(ValueError("no")))


async def hangs() -> str:
    """Never ends."""
    await trio.sleep_forever()
    return ""


# Ids may be missing, used again or used twice in a reply: models do all of that.
_call = st.builds(lambda name, id_: ToolCall(id_, name, {}), st.sampled_from(TOOLS), st.sampled_from(("", "a", "b")))
_reply = st.lists(st.one_of(_call, st.sampled_from(("text ", " "))), max_size=3)
_turn = st.lists(_reply, max_size=3)


def check_valid(messages: Sequence[Message]) -> None:
    """The Messages API: each call has one result in the very next message, and there is no other result."""
    edge = Message("user", "")
    for before, after in zip((edge, *messages), (*messages, edge), strict=True):
        called = [each.id for each in before.tool_calls]
        assert len(set(called)) == len(called)
        assert [each.tool_call_id for each in after.tool_results] == called


@given(st.lists(_turn, min_size=1, max_size=3))
@settings(max_examples=40, deadline=None)
def test_every_prefix_that_a_kill_can_leave_is_a_valid_history(turns: list[list[Scripted]]) -> None:
    async def main() -> list[tuple[Message, ...]]:
        store = Recording()
        replies = iter([reply for turn in turns for reply in (*turn, ["end"])])
        model = ScriptedModel(lambda _: next(replies, ["end"]))
        backoff = vega.BackoffConfig(initial=0.0)
        policy = vega.Supervision(max_restarts=None, backoff=backoff)
        agent = vega.Agent(name="a", tools=[works, fails, crashes, hangs], supervision=policy)
        async with vega.open_orchestrator(model=model, store=store, shutdown_timeout=0.0) as orch:
            process = await orch.spawn(agent, name="w1")
            for _ in turns:
                pending = process.start_send("go")
                with trio.move_on_after(1) as patience, suppress(vega.TurnFailed, vega.TurnCancelled):
                    await pending.wait()
                if patience.cancelled_caught:
                    await process.stop_turn()  # a tool hangs
        return store.written

    written = trio.run(main, clock=MockClock(autojump_threshold=0))
    for end in range(len(written) + 1):
        prefix = [message for change in written[:end] for message in change]
        shown = mended(prefix)
        check_valid(shown)
        assert [each for each in shown if each in prefix] == [each for each in prefix if each in shown]
        assert all(each in shown or each.tool_results for each in prefix)  # results may be gathered into one message
