import subprocess
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
import trio

from vega_trio.errors import ConfigError, MissingKey, ModelError
from vega_trio.llm.resolve import LazyModel, Models
from vega_trio.messages import Message, Usage
from vega_trio.price import Price
from vega_trio.protocols import Model, ModelEvent, ModelRequest
from vega_trio.session import ErrorClass
from vega_trio.testing import FakeMessagesServer, ScriptedModel

REQUEST = ModelRequest(messages=(Message("user", "hi"),))


async def ask(model: Model) -> list[ModelEvent]:
    async with model.stream(REQUEST) as events:
        return [event async for event in events]


async def test_one_name_is_one_model_however_it_is_written() -> None:
    async with Models(env={}) as models:
        assert models.get("demo") is models.get(" demo ")
        assert isinstance(models.get("claude-x"), Model)
        assert models.get("claude-x") is models.get("anthropic:claude-x")
        assert models.get("claude-x") is not models.get("claude-y")


async def test_a_model_is_opened_by_its_first_call_and_closed_at_the_end() -> None:
    async with FakeMessagesServer(["one", "two"]) as server:
        env = {"ANTHROPIC_API_KEY": "k", "ANTHROPIC_BASE_URL": server.base_url}
        with trio.fail_after(10):
            async with Models(env=env) as models:
                model = models.get("claude-sonnet-5-5")
                assert (model.name, model.price(Usage(1_000_000))) == ("anthropic:claude-sonnet-5-5", 2_000_000)
                assert not server.requests
                await ask(model)
                await ask(model)
                assert server.connections == 1
            while server.connections:
                await trio.testing.wait_all_tasks_blocked()


async def test_a_given_price_goes_before_the_lists_however_the_model_is_written() -> None:
    prices = {"openai:unheard-of": Price(input=1, output=2), "claude-sonnet-5-5": Price(input=0, output=0)}
    async with Models(env={}, prices=prices) as models:
        assert models.get("openai:unheard-of").price(Usage(1_000, 1_000)) == 3_000
        assert models.get("openai:unheard-of") is models.get(" openai:unheard-of ")
        assert models.get("anthropic:claude-sonnet-5-5").price(Usage(1_000_000)) == 0
        assert models.get("openai:other").price(Usage(1)) is None


async def test_a_missing_key_is_told_at_the_call_and_a_later_one_may_have_it() -> None:
    env: dict[str, str] = {}
    async with FakeMessagesServer(["here"]) as server, Models(env=env) as models:
        model = models.get("claude-x")
        for _ in range(2):
            with pytest.raises(MissingKey):
                await ask(model)
        env.update({"ANTHROPIC_API_KEY": "k", "ANTHROPIC_BASE_URL": server.base_url})
        assert await ask(model)


@pytest.mark.parametrize("name", ["antropic:claude", "", "openai:", "recorded:/nowhere", "demo:x", "llama3:8b"])
async def test_a_name_that_cannot_be_used_is_refused_before_any_call(name: str) -> None:
    async with Models(env={}) as models:
        with pytest.raises(ConfigError):
            models.get(name)


async def test_without_a_local_model_the_turn_fails_with_the_remedy(tmp_path: Path) -> None:
    async with Models(env={}, home=tmp_path) as models:
        with pytest.raises(ModelError, match="vega models pull"):
            await ask(models.get("local"))


async def test_the_block_s_own_error_comes_out_as_it_is() -> None:
    with pytest.raises(KeyError):
        async with Models(env={}):
            raise KeyError


def test_outside_its_block_it_opens_nothing() -> None:
    with pytest.raises(RuntimeError, match="async with"):
        Models(env={}).get("claude-x")


# -- opening once


async def test_callers_at_the_same_time_share_one_opening_even_if_the_first_is_cancelled() -> None:
    opened = 0
    ready = trio.Event()

    @asynccontextmanager
    async def opener() -> AsyncIterator[Model]:
        nonlocal opened
        opened += 1
        await ready.wait()
        yield ScriptedModel(lambda _: "hello")

    with trio.fail_after(2):
        async with trio.open_nursery() as owner, trio.open_nursery() as callers:
            model = LazyModel("scripted", lambda _: 0, opener, owner)
            with trio.CancelScope() as first:
                callers.start_soon(ask, model)
                first.cancel()
                await ask(model)
            assert first.cancelled_caught
            ready.set()
            assert len(await ask(model)) == 2
            owner.cancel_scope.cancel()
    assert opened == 1


async def test_an_opening_that_fails_is_told_to_all_who_wait_and_tried_again() -> None:
    attempts = 0

    @asynccontextmanager
    async def opener() -> AsyncIterator[Model]:
        nonlocal attempts
        attempts += 1
        await trio.testing.wait_all_tasks_blocked()
        if attempts == 1:
            raise ModelError("not yet", ErrorClass.TEMPORARY)
        yield ScriptedModel(["hello"])

    failed = []

    async def caller(model: Model) -> None:
        try:
            await ask(model)
        except ModelError as error:
            failed.append(str(error))

    with trio.fail_after(2):
        async with trio.open_nursery() as owner:
            model = LazyModel("scripted", lambda _: 0, opener, owner)
            async with trio.open_nursery() as callers:
                callers.start_soon(caller, model)
                callers.start_soon(caller, model)
            assert failed == ["not yet", "not yet"]
            assert await ask(model)
            owner.cancel_scope.cancel()


@pytest.mark.e2e
def test_resolving_names_imports_no_adapter() -> None:
    code = (
        "import sys, trio\n"
        "from vega_trio.llm.resolve import Models\n"
        "async def main():\n"
        "    async with Models(env={}) as models:\n"
        "        models.get('demo'), models.get('claude-x'), models.get('local')\n"
        "trio.run(main)\n"
        "heavy = {'anthropic', 'httpx', 'httpx2', 'xllamacpp', 'genai_prices', 'pydantic'} & set(sys.modules)\n"
        "assert not heavy, heavy\n"
    )
    subprocess.run([sys.executable, "-c", code], check=True, timeout=30)
