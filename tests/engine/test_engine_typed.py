"""Typed output: a reply is a checked value, a wrong one is corrected once, and nothing of that stays in the history."""

from __future__ import annotations

import dataclasses
from collections.abc import AsyncIterator
from typing import Any

import attrs
import pytest
import trio
from talk import WAYS, Told, Way

import vega_trio as vega
from vega_trio.testing import FakeTool, ScriptedModel


@pytest.fixture(autouse=True)
async def _limit() -> AsyncIterator[None]:
    with trio.fail_after(5):
        yield


@attrs.frozen
class City:
    name: str
    people: int = attrs.field(validator=attrs.validators.gt(0))


@dataclasses.dataclass
class Trip:
    days: int
    cities: list[City]


SCHEMA = {"type": "object", "properties": {"n": {"type": "integer"}}, "required": ["n"]}
OSLO = '{"name": "Oslo", "people": 700000}'


@pytest.mark.parametrize(
    ("output", "said", "expected"),
    [
        (City, OSLO, City("Oslo", 700000)),
        (City, f"Here you are:\n```json\n{OSLO}\n```", City("Oslo", 700000)),
        (City, f"It is {OSLO}.", City("Oslo", 700000)),
        (Trip, f'{{"days": 2, "cities": [{OSLO}]}}', Trip(2, [City("Oslo", 700000)])),
        (SCHEMA, '{"n": 4, "more": true}', {"n": 4, "more": True}),
    ],
)
async def test_a_reply_has_a_checked_value(output: Any, said: str, expected: object) -> None:
    agent = vega.Agent(name="a", system="Be brief.", output=output)
    with ScriptedModel([said]) as model:
        async with vega.open_orchestrator(model=model) as orch, orch.spawn(agent) as proc:
            reply = await proc.send("go")
    assert reply.output == expected
    assert reply.text == said
    assert model.requests[0].system.startswith("Be brief.\n\n")
    assert model.requests[0].output_schema is not None


@pytest.mark.parametrize("ask", WAYS)
@pytest.mark.parametrize("wrong", ["no JSON", '{"name": "Oslo"}', '{"name": "Oslo", "people": -1}', ""])
async def test_a_wrong_reply_is_corrected_once(ask: Way, wrong: str) -> None:
    agent = vega.Agent(name="a", output=City)
    with ScriptedModel([wrong, OSLO, OSLO]) as model:
        async with vega.open_orchestrator(model=model) as orch, orch.spawn(agent) as proc:
            assert await ask(proc, "go") == Told(OSLO)
            assert [message.text for message in proc.messages()] == ["go", OSLO]
            assert (await proc.send("again")).output == City("Oslo", 700000)
    said = [message.text for message in model.requests[1].messages]
    assert said[:-1] == ["go", wrong] if wrong else ["go"]
    assert "That cannot be used" in said[-1]


@pytest.mark.parametrize("ask", WAYS)
async def test_a_reply_that_stays_wrong_fails_the_turn(ask: Way) -> None:
    agent = vega.Agent(name="a", output=City)
    with ScriptedModel(["no", "still no"]) as model:
        async with vega.open_orchestrator(model=model) as orch, orch.spawn(agent) as proc:
            told = await ask(proc, "go")
            assert told.error_class == "format_error"
            assert proc.alive


async def test_both_attempts_are_paid_for() -> None:
    agent = vega.Agent(name="a", output=City)
    with ScriptedModel(["no", OSLO], price=1000) as model:
        async with vega.open_orchestrator(model=model) as orch, orch.spawn(agent) as proc:
            reply = await proc.send("go")
    assert reply.cost_usd == pytest.approx(0.030)
    assert reply.usage.output_tokens == 10


async def test_only_the_final_reply_is_typed_not_what_is_said_before_a_tool_call() -> None:
    agent = vega.Agent(name="a", output=City, tools=[FakeTool("look")])
    with ScriptedModel([["Let me see. ", vega.ToolCall("1", "look", {})], OSLO]) as model:
        async with vega.open_orchestrator(model=model) as orch, orch.spawn(agent) as proc:
            reply = await proc.send("go")
    assert reply.output == City("Oslo", 700000)
    assert reply.text == "Let me see. " + OSLO


async def test_without_output_there_is_none() -> None:
    with ScriptedModel(["hello"]) as model:
        async with vega.open_orchestrator(model=model) as orch, orch.spawn(vega.Agent(name="a")) as proc:
            assert (await proc.send("go")).output is None


async def test_what_can_be_no_output_is_refused_by_name() -> None:
    with pytest.raises(ValueError, match=r"Agent\.output must be an attrs class, a dataclass or a JSON Schema"):
        vega.Agent(name="a", output=3)


async def test_a_schema_that_is_none_is_refused_when_the_agent_starts() -> None:
    async with vega.open_orchestrator(model=ScriptedModel()) as orch:
        with pytest.raises(vega.ConfigError, match="the output of agent 'a' is no usable JSON Schema"):
            await orch.spawn(vega.Agent(name="a", output={"type": "nonsense"}))
