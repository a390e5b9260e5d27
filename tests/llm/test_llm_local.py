import contextlib
import gc
import os
from collections.abc import AsyncIterator
from pathlib import Path

import attrs
import httpx
import pytest
import trio

import vega_trio as vega
from vega_trio.errors import ModelError
from vega_trio.llm.calls import HttpCaller
from vega_trio.llm.lanes import ALL, Lanes
from vega_trio.llm.local import SOURCE, LocalModel, open_client, open_local
from vega_trio.messages import Message, Usage
from vega_trio.protocols import ModelDone, ModelEvent, ModelRequest, TextChunk
from vega_trio.session import ErrorClass
from vega_trio.testing import FakeMessagesServer, FakeReply, HttpFault, Mute, block_network


def asking(text: str, max_tokens: int = 12) -> ModelRequest:
    return ModelRequest(messages=(Message("user", text),), max_tokens=max_tokens, temperature=0)


async def ask(model: LocalModel, request: ModelRequest) -> list[ModelEvent]:
    async with model.stream(request) as events:
        return [event async for event in events]


# -- our client, against the fake


@contextlib.asynccontextmanager
async def client_of(server: FakeMessagesServer, read_timeout_s: float = 5) -> AsyncIterator[LocalModel]:
    with trio.fail_after(10), block_network():
        lanes = Lanes(lambda: open_client(httpx, server.base_url, "key", read_timeout_s), ALL)
        try:
            yield LocalModel("local", HttpCaller(SOURCE, read_timeout_s, lanes, httpx))
        finally:
            await lanes.aclose()


async def test_it_streams_the_messages_api() -> None:
    async with FakeMessagesServer([FakeReply("a b", fragment_bytes=7)]) as server, client_of(server) as model:
        assert await ask(model, asking("hi")) == [TextChunk("a "), TextChunk("b"), ModelDone("end_turn", Usage(10, 5))]
    assert server.requests[0].body["temperature"] == 0
    assert model.price(Usage(5, 5)) == 0


async def test_no_call_reuses_the_connection_of_another() -> None:
    async with FakeMessagesServer(["one", "two"]) as server, client_of(server) as model:
        for text in ("first", "second"):
            await ask(model, asking(text))
    assert [request.headers["connection"] for request in server.requests] == ["close", "close"]


@pytest.mark.parametrize(
    ("step", "expected"),
    [
        (HttpFault(400, "exceed_context_size_error"), ErrorClass.CONTEXT_OVERFLOW),
        (HttpFault(503, "unavailable_error"), ErrorClass.OVERLOADED),
        (FakeReply("some text", cut_after_bytes=500), ErrorClass.TEMPORARY),
        (FakeReply("some text", omit_stop=True), ErrorClass.TEMPORARY),
        (FakeReply("some text", stall_after_bytes=700), ErrorClass.TIMEOUT),
        (Mute(), ErrorClass.TIMEOUT),
    ],
)
async def test_its_failures_are_classified(step: HttpFault | FakeReply | Mute, expected: ErrorClass) -> None:
    async with FakeMessagesServer([step]) as server, client_of(server, 0.03) as model:
        with pytest.raises(ModelError) as raised:
            await ask(model, asking("hi"))
    assert raised.value.error_class is expected


async def test_without_a_model_the_error_says_how_to_get_one(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match="vega models pull smollm2"):
        async with open_local(home=tmp_path):
            pass
    with pytest.raises(ModelError, match=r"there is no file '/nowhere\.gguf'"):
        async with open_local("/nowhere.gguf", home=tmp_path):
            pass


# -- the real thing


@pytest.fixture(scope="session")
def home(model_home: Path) -> Path:
    return model_home


def standing() -> tuple[int, int, int]:
    """Resident MiB, descriptors, threads."""
    resident = int(Path("/proc/self/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE") // 2**20
    return resident, len(os.listdir("/proc/self/fd")), len(os.listdir("/proc/self/task"))


@pytest.mark.e2e
async def test_real_tokens_are_streamed_and_counted(home: Path) -> None:
    with trio.fail_after(60), block_network():
        async with open_local(home=home) as model:
            events = await ask(model, asking("Say hello."))
    *chunks, done = events
    assert 3 <= len(chunks) <= 12
    assert isinstance(done, ModelDone)
    assert done.usage.output_tokens >= len(chunks)
    assert done.usage.input_tokens + done.usage.cache_read_tokens > 5


@pytest.mark.e2e
async def test_two_turns_speak_at_once_and_a_cancelled_one_gives_its_place_back(home: Path) -> None:
    with trio.fail_after(60):
        async with open_local(home=home) as model, trio.open_nursery() as nursery:
            for number in range(2):
                nursery.start_soon(ask, model, asking(f"Tell me {number} things."))
            for _ in range(3):
                with trio.CancelScope() as scope:
                    async with model.stream(asking("Tell me a very long story.", 4000)) as events:
                        async for _ in events:
                            scope.cancel()
                assert scope.cancelled_caught
            assert await ask(model, asking("Say hello.", 3))


@attrs.define
class Priced:
    """A local model for which there is a price: ten micro-dollars a token."""

    model: LocalModel
    name: str = "priced"

    def stream(self, request: ModelRequest) -> contextlib.AbstractAsyncContextManager[AsyncIterator[ModelEvent]]:
        return self.model.stream(request)

    def price(self, usage: Usage) -> int:
        read = usage.input_tokens + usage.cache_read_tokens + usage.cache_write_tokens
        return 10 * (read + usage.output_tokens)


async def ask_until_refused(proc: vega.Process) -> None:
    while True:
        await proc.send("And?")


@pytest.mark.e2e
async def test_a_budget_holds_over_real_tokens_and_a_cancel_is_paid_for(home: Path) -> None:
    # Without a prompt the model's template puts one of its own in, which nobody can reserve for.
    agent = vega.Agent(name="a", system="Be brief.", max_tokens=8)
    with trio.fail_after(60), vega.budget(usd=0.0016) as account:
        async with open_local(home=home) as model, vega.open_orchestrator(model=Priced(model)) as orch:
            proc = await orch.spawn(agent)
            async with proc.stream_text("Tell me a story.") as text:
                await anext(text)
            await proc.stop_turn()
            assert 0 < account.used <= account.limit
            with pytest.raises(vega.TurnFailed) as failed:
                await ask_until_refused(proc)
        assert failed.value.error_class is ErrorClass.BUDGET_EXCEEDED
        assert proc.metrics.output_tokens > 0
        assert 0 < account.used <= account.limit


@pytest.mark.e2e
async def test_a_prompt_longer_than_the_context_is_a_context_overflow(home: Path) -> None:
    with trio.fail_after(60):
        async with open_local(home=home) as model:
            with pytest.raises(ModelError) as raised:
                await ask(model, asking("word " * 9000))
    assert raised.value.error_class is ErrorClass.CONTEXT_OVERFLOW


@pytest.mark.e2e
async def test_opening_and_closing_it_also_mid_answer_leaves_nothing_behind(home: Path) -> None:
    async def once() -> None:
        with trio.move_on_after(30):
            async with open_local(home=home) as model:
                async with model.stream(asking("Tell me a very long story.", 4000)) as events:
                    async for _ in events:
                        break

    with trio.fail_after(100):
        await once()
        gc.collect()
        resident, files, threads = standing()
        for _ in range(3):
            await once()
    gc.collect()
    after = standing()
    assert after[0] <= resident + 40
    assert after[1:] == (files, threads)


@pytest.mark.e2e
async def test_a_file_that_is_no_model_is_refused_by_name(home: Path, tmp_path: Path) -> None:
    bad = tmp_path / "bad.gguf"
    bad.write_bytes(b"no model")
    with pytest.raises(ModelError, match=r"bad\.gguf"):
        async with open_local(str(bad), home=home):
            pass
