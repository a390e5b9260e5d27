"""An answer cut off at any byte, through the real client: told apart from a whole one, made again, nothing doubled."""

from __future__ import annotations

import os

import pytest
import trio

import vega_trio as vega
from vega_trio.testing import FakeMessagesServer, FakeReply, FakeTool
from vega_trio.testing.fake_chat import chat_frames
from vega_trio.testing.fake_messages import FakeRequest
from vega_trio.testing.fake_replies import event_frames

PARTS = ["Hé 🌍, ", vega.ToolCall("t1", "look", {"at": "it"})]
STEP = 1 if os.environ.get("VEGA_FUZZ") else 61
AT_ONCE = vega.RetryPolicy(3, vega.BackoffConfig(initial=0.0))


def body_of(provider: str) -> bytes:
    reply = FakeReply(PARTS)
    frames = event_frames(reply, "m") if provider == "anthropic" else chat_frames(reply, "m", counted=True)
    return b"".join(frames)


@pytest.mark.parametrize("provider", ["anthropic", "openai"])
async def test_a_stream_cut_at_any_byte_is_made_again(provider: str, monkeypatch: pytest.MonkeyPatch) -> None:
    size = len(body_of(provider))
    places = iter(range(0, size, STEP))
    cut = -1

    def answer(request: FakeRequest) -> object:
        """Each turn: a cut answer, the whole of it, and the reply to the tool's result."""
        nonlocal cut
        if len(request.body["messages"]) > 1:
            return "Done."
        if cut >= 0:
            cut = -1
            return FakeReply(PARTS)
        cut = next(places)
        return FakeReply(PARTS, cut_after_bytes=cut)

    async with FakeMessagesServer(answer) as server:  # type: ignore[arg-type]
        env = {"ANTHROPIC_BASE_URL": server.base_url, "OPENAI_BASE_URL": f"{server.base_url}/v1"}
        for name, value in (env | {"ANTHROPIC_API_KEY": "k", "OPENAI_API_KEY": "k"}).items():
            monkeypatch.setenv(name, value)
        tool = FakeTool("look")
        agent = vega.Agent(name="a", tools=[tool], retry=AT_ONCE)
        with trio.fail_after(120):
            async with vega.open_orchestrator(model=f"{provider}:m") as orch:
                for _ in range(0, size, STEP):
                    async with orch.spawn(agent) as proc, orch.subscribe([vega.LlmRetry]) as retries:
                        reply = await proc.send("go")
                        assert reply.text == "Hé 🌍, Done."
                        assert [call.name for call in reply.tool_calls] == ["look"]
                        assert (await anext(retries)).error_class == "temporary"
        assert len(tool.calls) == len(range(0, size, STEP))
