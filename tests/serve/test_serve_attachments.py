"""Files that go with a message: into the model, into the history, and out again."""

from __future__ import annotations

from base64 import b64encode
from typing import Any

import pytest
import trio

from vega_trio.messages import DocumentPart, ImagePart, TextPart, ToolCall
from vega_trio.protocols import ModelRequest

pytestmark = pytest.mark.e2e

PNG = b"\x89PNG\r\n\x1a\n" + bytes(20)


def file(data: bytes, media_type: str, name: str = "") -> dict[str, str]:
    return {"data": b64encode(data).decode(), "media_type": media_type, "name": name}


async def chat(served: Any, message: str, *files: dict[str, str], expected: int = 200) -> Any:
    body = {"message": message, "attachments": list(files)}
    answer = await served.http.post("/api/agents/assistant/chat", json=body)
    assert answer.status_code == expected, answer.text
    return answer.json()


def sees(*parts: object) -> Any:
    def reply(request: ModelRequest) -> str:
        assert request.messages[-1].content == parts
        return "seen"

    return reply


async def test_an_image_and_a_text_reach_the_model_and_the_history_and_are_handed_out(serving: Any) -> None:
    parts = (ImagePart("image/png", PNG), DocumentPart(b"# Hi", "text/plain", "notes.md"), TextPart("look"))
    with trio.fail_after(30):
        async with serving([sees(*parts), sees(*parts), sees(*parts[:2], TextPart("again"))]) as served:
            await chat(served, "look", file(PNG, "image/png", "cat.png"), file(b"# Hi", "text/markdown", "notes.md"))
            [said, _] = (await served.http.get("/api/agents/assistant/chat")).json()
            image, notes = said["attachments"]
            assert (image["media_type"], image["size"]) == ("image/png", len(PNG))
            assert (notes["media_type"], notes["name"], notes["size"]) == ("text/plain", "notes.md", 4)

            shown = await served.http.get(f"/api/agents/assistant/chat/attachments/{image['id']}")
            assert (shown.content, shown.headers["content-type"]) == (PNG, "image/png")
            assert shown.headers["x-content-type-options"] == "nosniff"
            saved = await served.http.get(f"/api/agents/assistant/chat/attachments/{notes['id']}")
            assert saved.content == b"# Hi"
            assert saved.headers["content-disposition"] == "attachment; filename*=UTF-8''notes.md"
            missing = await served.http.get("/api/agents/assistant/chat/attachments/nothing")
            assert (missing.status_code, missing.json()["code"]) == (404, "not_found")

            [session] = (await served.http.get("/api/sessions")).json()
            for what, body in (("regenerate", {}), ("edit", {"message": "again"})):
                answer = await served.http.post(f"/api/sessions/{session['id']}/{what}", json=body)
                assert answer.status_code == 202, answer.text
                async with served.joining(session=session["id"]) as frames:
                    assert "".join([frame.data.get("delta", "") async for frame in frames]) == "seen"
            export = await served.http.get(f"/api/sessions/{session['id']}/export")
            assert "(with notes.md, text/plain)" in export.text


async def test_a_file_without_words_is_a_message_and_nothing_at_all_is_none(serving: Any) -> None:
    with trio.fail_after(30):
        async with serving([sees(ImagePart("image/png", PNG))]) as served:
            assert (await chat(served, "", file(PNG, "image/png")))["response"] == "seen"
            [said, _] = (await served.http.get("/api/agents/assistant/chat")).json()
            assert (said["content"], len(said["attachments"])) == ("", 1)
            assert (await chat(served, "", expected=400))["field"] == "message"


@pytest.mark.parametrize(
    ("given", "field", "words"),
    [
        ({"data": "?", "media_type": "image/png"}, "attachments[0].data", "base64"),
        (file(b"MZ\x00", "application/x-program", "a.exe"), "attachments[0].media_type", "application/x-program"),
        (file(b"<svg>", "image/png"), "attachments[0].data", "image/png"),
        (file(b"", "text/plain", "none.txt"), "attachments[0].data", "empty"),
        (file(b"a", "text/plain", "a\nb"), "attachments[0].name", "printable"),
    ],
)
async def test_a_file_that_no_model_takes_is_refused_by_its_place(
    serving: Any, given: dict[str, str], field: str, words: str
) -> None:
    with trio.fail_after(30):
        async with serving([]) as served:
            problem = await chat(served, "look", given, expected=400)
            assert problem["field"] == field
            assert words in problem["error"]


async def test_an_image_that_a_tool_gave_is_told_in_version_2_and_in_the_history(serving: Any) -> None:
    def camera() -> ImagePart:
        """Takes a picture."""
        return ImagePart("image/png", PNG)

    with trio.fail_after(30):
        async with serving(2 * [ToolCall("t1", "camera", {}), "done"], tools=[camera]) as served:
            [ended] = [frame.data for frame in await served.chat("shoot", v="2") if frame.event == "tool_end"]
            [image] = ended["images"]
            answer = await served.http.get(f"/api/agents/assistant/chat/attachments/{image}")
            assert answer.content == PNG
            [_, said] = (await served.http.get("/api/agents/assistant/chat")).json()
            assert [each["id"] for each in said["tool_calls"][0]["images"]] == [image]
            plain = [frame.data for frame in await served.chat("shoot", v="1") if frame.event == "tool_end"]
            assert list(plain[0]) == ["type", "tool_call_id", "tool_name", "result", "duration_ms"]
