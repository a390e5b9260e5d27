"""Files for models that read words alone."""

from __future__ import annotations

from vega_trio.llm.chat_wire import chat_messages
from vega_trio.llm.demo_rules import answer
from vega_trio.llm.demo_turn import read_turn
from vega_trio.llm.documents import in_words
from vega_trio.messages import DocumentPart, ImagePart, Message, TextPart
from vega_trio.protocols import ModelRequest

NOTES = DocumentPart(b"# Hi\nthere", "text/plain", "notes.md")
IMAGE = ImagePart("image/png", b"png")


def asked(*parts: TextPart | DocumentPart | ImagePart) -> ModelRequest:
    return ModelRequest(messages=(Message("user", parts),))


def test_a_model_without_eyes_reads_texts_and_is_told_what_the_rest_was() -> None:
    words = in_words(asked(NOTES, IMAGE, DocumentPart(b"%PDF", title="a.pdf"), TextPart("Well?"))).messages[0].text
    assert words == (
        "The file notes.md:\n\n# Hi\nthere\n\n(an image that cannot be seen here: image/png, 3 bytes)\n\n"
        "(a document that cannot be read here: a.pdf, 4 bytes)\n\nWell?"
    )


def test_a_request_without_files_stays_what_it_is() -> None:
    request = asked(TextPart("Well?"))
    assert in_words(request) is request


def test_the_chat_api_gets_a_text_as_text_and_any_other_document_as_a_file() -> None:
    [text] = chat_messages(asked(NOTES, TextPart("Well?")))
    assert text == {"role": "user", "content": "The file notes.md:\n\n# Hi\nthere\n\nWell?"}
    [mixed] = chat_messages(asked(NOTES, DocumentPart(b"%PDF", title="a.pdf")))
    assert [each["type"] for each in mixed["content"]] == ["text", "file"]


def test_the_demo_model_tells_what_it_was_given() -> None:
    [said] = answer(read_turn(asked(NOTES, IMAGE)))
    assert "1. notes.md, 2 lines, which begins with “# Hi”" in str(said)
    assert "2. an image, image/png, 3 bytes" in str(said)
