"""Images that tools give: kept in the history, shown to models that see, told in words to all others."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest
import trio

import vega_trio as vega
from vega_trio.testing import ScriptedModel

PNG = vega.ImagePart("image/png", b"\x89PNG")


@pytest.fixture(autouse=True)
async def _limit() -> AsyncIterator[None]:
    with trio.fail_after(10):
        yield


async def given(tool: object) -> vega.ToolResult:
    """What the model is given of one call of the tool."""
    model = ScriptedModel([[vega.ToolCall("t1", "look", {})], "done"])
    agent = vega.Agent(name="a", system="x", tools=[tool])
    async with vega.open_orchestrator(model=model) as orch, orch.spawn(agent) as proc:
        await proc.send("go")
    return model.requests[1].messages[-1].tool_results[0]


async def test_an_image_is_given_with_words_for_who_cannot_see() -> None:
    def look() -> vega.ImagePart:
        return PNG

    assert await given(look) == vega.ToolResult("t1", "[an image, image/png, 4 bytes]", images=(PNG,))


async def test_texts_and_images_come_together_in_order() -> None:
    def look() -> list[str | vega.ImagePart]:
        return ["before", PNG, "after"]

    result = await given(look)
    assert result.content == "before\n[an image, image/png, 4 bytes]\nafter"
    assert result.images == (PNG,)


async def test_what_no_model_takes_is_left_out_and_said() -> None:
    def look() -> vega.ToolOutput:
        other, large = vega.ImagePart("image/svg+xml", b"<svg/>"), vega.ImagePart("image/png", bytes(4_000_000))
        return vega.ToolOutput("three", (other, large, vega.ImagePart("image/png", b""), *[PNG] * 11))

    result = await given(look)
    assert result.images == (PNG,) * 10
    assert result.content.splitlines() == [
        "three",
        "[image 1 is left out: 'image/svg+xml' is none of image/gif, image/jpeg, image/png, image/webp]",
        "[image 2 is left out: it has more than 3,750,000 bytes]",
        "[image 3 is left out: it is empty]",
        "[image 14 is left out: a result has at most 10]",
    ]
