"""What of a long conversation the model is shown, on both ways to a reply."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import trio
from talk import WAYS, Told, Way

import vega_trio as vega
from vega_trio._core.trimming import ASK_FOR_SUMMARY
from vega_trio.testing import ScriptedModel, ScriptedReply

both_ways = pytest.mark.parametrize("ask", WAYS)


@pytest.fixture(autouse=True)
async def _limit() -> AsyncIterator[None]:
    with trio.fail_after(10):
        yield


def chatty(request: vega.ModelRequest) -> str:
    asked = request.messages[-1].text
    return "the gist" if asked.startswith(ASK_FOR_SUMMARY) else "an answer of some length " * 4


@both_ways
async def test_a_token_budget_shows_the_newest_turns_and_the_prompt(ask: Way) -> None:
    model = ScriptedModel(chatty)
    agent = vega.Agent(name="a", system="be brief", context=vega.TokenBudget(max_tokens=120))
    async with vega.open_orchestrator(model=model) as orch, orch.spawn(agent) as proc:
        for number in range(10):
            await ask(proc, f"question {number}")
        assert len(proc.messages()) == 20  # nothing is forgotten
    last = model.requests[-1]
    assert last.system == "be brief"
    assert 1 < len(last.messages) < 11
    assert last.messages[-1].text == "question 9"


@both_ways
async def test_a_sliding_window_gives_way_to_a_summary_that_nobody_is_shown(ask: Way) -> None:
    model = ScriptedModel(chatty)
    agent = vega.Agent(name="a", system="be brief", context=vega.SlidingWindow(keep=4, compact_at_tokens=120))
    async with vega.open_orchestrator(model=model) as orch, orch.spawn(agent) as proc:
        for number in range(10):
            told = await ask(proc, f"question {number}")
            assert told == Told("an answer of some length " * 4)
        shown = model.requests[-1].messages
        assert "the gist" in shown[0].text
        assert 5 <= len(shown) <= 8
        assert len(proc.messages()) < 10
    summaries = [each for each in model.requests if each.messages[-1].text.startswith(ASK_FOR_SUMMARY)]
    assert 1 <= len(summaries) <= 5
    assert "question 0" in summaries[0].messages[0].text
    assert "the gist" in summaries[-1].messages[0].text  # the summary before is summed up too


@both_ways
async def test_compaction_on_request(ask: Way) -> None:
    model = ScriptedModel(chatty)
    async with vega.open_orchestrator(model=model) as orch, orch.spawn(vega.Agent(name="a")) as proc:
        await proc.compact()  # there is nothing to compact yet
        assert model.requests == []
        for number in range(5):
            await ask(proc, f"question {number}")
        before = proc.messages()
        await proc.compact()
        after = proc.messages()
        assert "the gist" in after[0].text
        assert after[1:] == before[-4:]
        await ask(proc, "and now?")
        assert model.requests[-1].messages == (*after, vega.Message("user", "and now?"))


@pytest.mark.parametrize("given", [" ", ScriptedReply("the gist", stop_reason="refusal")], ids=["nothing", "refusal"])
async def test_no_summary_takes_the_place_of_nothing(given: str | ScriptedReply) -> None:
    def answer(request: vega.ModelRequest) -> str | ScriptedReply:
        return given if request.messages[-1].text.startswith(ASK_FOR_SUMMARY) else "an answer"

    async with vega.open_orchestrator(model=ScriptedModel(answer)) as orch, orch.spawn(vega.Agent(name="a")) as proc:
        for number in range(5):
            await proc.send(f"question {number}")
        before = proc.messages()
        with pytest.raises(vega.TurnFailed, match="gave no summary of the conversation") as caught:
            await proc.compact()
        assert caught.value.error_class is vega.ErrorClass.CONTEXT_OVERFLOW
        assert proc.messages() == before


async def test_a_compaction_that_fails_says_so_and_loses_nothing() -> None:
    def answer(request: vega.ModelRequest) -> str | Exception:
        if request.messages[-1].text.startswith(ASK_FOR_SUMMARY):
            return vega.ModelError("no", vega.ErrorClass.INVALID_REQUEST)
        return "ok"

    async with vega.open_orchestrator(model=ScriptedModel(answer)) as orch, orch.spawn(vega.Agent(name="a")) as proc:
        for _ in range(5):
            await proc.send("hi")
        with pytest.raises(vega.TurnFailed, match="no"):
            await proc.compact()
        assert len(proc.messages()) == 10
        assert (await proc.send("hi")).text == "ok"


async def test_processes_of_one_blueprint_share_no_context() -> None:
    agent = vega.Agent(name="a", context=vega.SlidingWindow(keep=2, compact_at_tokens=10))
    model = ScriptedModel(chatty)
    async with vega.open_orchestrator(model=model) as orch, orch.spawn(agent) as one, orch.spawn(agent) as two:
        for _ in range(4):
            await one.send("question")
        await two.send("hello")
        assert two.messages()[0].text == "hello"


@pytest.mark.parametrize(
    ("context", "expected"),
    [
        ("{max_tokens: 7}", vega.TokenBudget(7)),
        ("{strategy: sliding_window, keep: 3, compact_at_tokens: 9}", vega.SlidingWindow(3, 9)),
    ],
)
async def test_a_document_says_which(context: str, expected: object, tmp_path: Path) -> None:
    path = tmp_path / "team.vega.yaml"
    agents = f"agents: {{a: {{system: x, model: demo, context: {context}}}}}\n"
    path.write_text(f"{agents}settings: {{sandbox: {tmp_path}}}\n")
    async with vega.open_app(path) as app:
        assert app.agents()[0].agent.context == expected


@pytest.mark.parametrize("wrong", [{"keep": 0}, {"compact_at_tokens": -1}])
async def test_wrong_figures_are_refused(wrong: dict[str, int]) -> None:
    with pytest.raises(ValueError, match="SlidingWindow"):
        vega.SlidingWindow(**wrong)
