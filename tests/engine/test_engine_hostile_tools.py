"""What tools may raise and give: the process lives, and the model is told in bounded words."""

from __future__ import annotations

import sys
from collections.abc import AsyncIterator, Callable, Mapping
from typing import Any

import attrs
import pytest
import trio

import vega_trio as vega
from vega_trio.protocols import ToolSpec
from vega_trio.testing import ScriptedModel


@pytest.fixture(autouse=True)
async def _limit() -> AsyncIterator[None]:
    with trio.fail_after(10):
        yield


async def told(tool: object, name: str) -> str:
    """What the model is told of a call of the tool; the process answers afterwards."""
    model = ScriptedModel([[vega.ToolCall("t1", name, {})], "done"])
    agent = vega.Agent(name="a", system="x", tools=[tool])
    async with vega.open_orchestrator(model=model) as orch, orch.spawn(agent) as proc:
        assert (await proc.send("go")).text == "done"
    return model.requests[1].messages[-1].tool_results[0].content


class Unshowable(Exception):
    def __str__(self) -> str:
        raise RuntimeError("no words")


def leaves() -> str:
    sys.exit("usage: leaves FILE")


async def leaves_later() -> str:
    sys.exit(2)


async def leaves_in_a_nursery() -> str:
    async with trio.open_nursery() as nursery:
        nursery.start_soon(leaves_later)
    return "never"


def unshowable() -> str:
    raise Unshowable


@pytest.mark.parametrize(
    ("tool", "words"),
    [
        (leaves, "Error: SystemExit: usage: leaves FILE"),
        (leaves_later, "Error: SystemExit: 2"),
        (leaves_in_a_nursery, "Error: BaseExceptionGroup: Exceptions from Trio nursery (1 sub-exception)"),
        (unshowable, "Error: Unshowable: (cannot be shown: RuntimeError)"),
    ],
)
async def test_a_tool_cannot_end_the_program_or_the_process(tool: Callable[..., Any], words: str) -> None:
    assert await told(tool, tool.__name__) == words


async def test_the_message_of_an_error_is_cut() -> None:
    def fails() -> str:
        raise ValueError("x" * 1_000_000)

    assert len(await told(fails, "fails")) < 11_000


async def test_what_a_tool_object_gives_is_cut_like_a_functions() -> None:
    @attrs.frozen
    class Flood:
        spec: ToolSpec = ToolSpec(name="flood", description="", parameters={"type": "object"})  # noqa: RUF009

        async def call(self, arguments: Mapping[str, Any], context: vega.ToolContext) -> str:
            return "x" * 10_000_000

    text = await told(Flood(), "flood")
    assert len(text) <= 64 * 1024
    assert text.endswith("[output truncated: cut after 65,024 of 10,000,000 bytes]")


async def test_halves_of_surrogate_pairs_harm_nobody() -> None:
    def shout(text: str) -> str:
        return text.upper()

    call = vega.ToolCall("t1", "shout", {"text": "a\ud83d\ude00b\udfff"})
    model = ScriptedModel([["well \ud800, ", call], "done"])
    agent = vega.Agent(name="a", system="x", tools=[shout])
    async with vega.open_orchestrator(model=model) as orch, orch.spawn(agent) as proc:
        reply = await proc.send("go \udcff")
        assert reply.text == "well \ufffd, done"
    assert model.requests[0].messages[-1].text == "go \ufffd"
    assert model.requests[1].messages[-1].tool_results[0].content == "A\U0001f600B\ufffd"
