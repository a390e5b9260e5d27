"""The demo model at what it was told to play."""

from __future__ import annotations

import pytest
import trio

from vega_trio.errors import ModelError
from vega_trio.llm.demo import DemoModel
from vega_trio.llm.demo_faults import FAULTS
from vega_trio.llm.demo_turn import DemoCrash
from vega_trio.messages import Message
from vega_trio.protocols import ModelRequest, TextChunk
from vega_trio.session import ErrorClass

QUESTION = ModelRequest(messages=(Message("user", "hello"),))


async def said(model: DemoModel, texts: list[str]) -> float:
    """Puts what the model says into `texts`; the seconds that it took."""
    began = trio.current_time()
    async with model.stream(QUESTION) as events:
        async for event in events:
            texts += [event.text] if isinstance(event, TextChunk) else []
    return trio.current_time() - began


@pytest.mark.parametrize(
    ("fault", "error", "words"), [("crash", DemoCrash, 12), ("cut", ModelError, 12), ("refuse", ModelError, 0)]
)
async def test_a_fault_ends_as_many_calls_as_it_says_and_the_next_is_whole(
    fault: str, error: type[Exception], words: int, autojump_clock: object
) -> None:
    with trio.fail_after(60):
        model = DemoModel()
        model.arm(FAULTS[fault])
        for _ in range(FAULTS[fault].calls):
            texts: list[str] = []
            with pytest.raises(error) as raised:
                await said(model, texts)
            assert len(texts) == words
            if isinstance(raised.value, ModelError):
                assert raised.value.error_class in (ErrorClass.OVERLOADED, ErrorClass.TEMPORARY), "it is tried again"
        texts = []
        await said(model, texts)
        assert len(texts) > 12


async def test_a_slow_answer_is_whole_and_takes_eight_times_as_long(autojump_clock: object) -> None:
    with trio.fail_after(600):
        model = DemoModel()
        plain: list[str] = []
        slow: list[str] = []
        usual = await said(model, plain)
        model.arm(FAULTS["slow"])
        assert await said(model, slow) == pytest.approx(8 * usual)
        assert slow == plain
