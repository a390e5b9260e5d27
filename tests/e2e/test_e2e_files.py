"""Files in a conversation, and a conversation that branches off, in a real browser."""

from __future__ import annotations

import random
import re
import struct
import zlib

import pytest
from browsing import Dashboard, check_accessibility
from playwright.sync_api import FilePayload, Locator, expect

pytestmark = pytest.mark.e2e

WIDTHS = """
(message) => Promise.all([...message.querySelectorAll('img')].map(
  (image) => image.decode().then(() => image.naturalWidth)))
"""


BRING = """
(field, kind) => {
  const data = new DataTransfer();
  if (kind === 'text') data.setData('text/plain', 'words');
  else data.items.add(new File(['# Plans\\n'], `${kind}.md`, { type: 'text/markdown' }));
  const how = { bubbles: true, cancelable: true };
  const event = kind === 'drop'
    ? new DragEvent('drop', { dataTransfer: data, ...how })
    : new ClipboardEvent('paste', { clipboardData: data, ...how });
  return !field.dispatchEvent(event);
}
"""
"""Drops a file on the field, or pastes one or a text into it; whether the page took it in the browser's place."""


def png(width: int, height: int) -> bytes:
    """Noise in grey, which compresses badly."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    head = struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0)
    noise = random.Random(1)
    rows = zlib.compress(b"".join(b"\0" + noise.randbytes(width) for _ in range(height)))
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", rows) + chunk(b"IEND", b"")


def shown(message: Locator) -> list[int]:
    """How wide its images are, once they are there."""
    expect(message.get_by_role("img")).to_be_visible()
    return list(message.evaluate(WIDTHS))


def given(name: str, kind: str, data: bytes) -> FilePayload:
    return {"name": name, "mimeType": kind, "buffer": data}


def test_an_image_and_a_text_go_with_a_message_and_stay_in_the_conversation(each_size: Dashboard) -> None:
    page = each_size.page
    each_size.open()
    chooser = page.locator("input[type=file]")
    chosen = page.get_by_role("list", name="Attached files").get_by_role("listitem")
    chooser.set_input_files([given("wide.png", "image/png", png(2000, 500)), given("wrong.txt", "text/plain", b"x")])
    expect(chosen).to_have_count(2)
    page.get_by_role("button", name="Remove wrong.txt").click()
    chooser.set_input_files(given("notes.md", "text/markdown", b"# Plans\n"))
    expect(chosen).to_have_text(["wide.png", "notes.md"])
    chooser.set_input_files(given("large.csv", "text/csv", bytes(800_000)))
    expect(page.get_by_role("alert")).to_contain_text("large.csv has 800 kB")
    check_accessibility(page)
    each_size.ask("What is this?")
    expect(each_size.answer).to_contain_text("notes.md, 1 line, which begins with “# Plans”")
    expect(chosen).to_have_count(2)  # those of the question: none waits for the next

    asked = each_size.log.locator("article").first
    assert shown(asked) == [1568], "it was made as small as models look at it"
    page.reload()
    expect(asked.get_by_role("link", name="notes.md")).to_be_visible()
    assert shown(asked) == [1568]
    assert each_size.overflow() <= 0


def test_a_file_that_is_dropped_or_pasted_goes_with_the_message_and_pasted_text_into_it(dashboard: Dashboard) -> None:
    page = dashboard.page
    dashboard.open()
    field = page.get_by_role("textbox", name="Message to")
    chosen = page.get_by_role("list", name="Attached files").get_by_role("listitem")
    assert field.evaluate(BRING, "drop"), "the browser would leave the page for the file"
    expect(chosen).to_have_text(["drop.md"])
    assert field.evaluate(BRING, "paste")
    expect(chosen).to_have_text(["drop.md", "paste.md"])
    assert not field.evaluate(BRING, "text"), "which is the browser's to insert"
    dashboard.ask("What is this?")
    expect(dashboard.answer).to_contain_text("drop.md, 1 line, which begins with “# Plans”")
    expect(dashboard.answer).to_contain_text("paste.md")


def test_a_branch_is_a_conversation_of_its_own(dashboard: Dashboard) -> None:
    page = dashboard.page
    dashboard.open()
    dashboard.ask("yes or no? one")
    dashboard.ask("yes or no? two")
    page.get_by_role("button", name="Branch from here").first.click()
    expect(page).to_have_url(re.compile("session="))
    expect(dashboard.log.locator("article")).to_have_count(2)
    dashboard.ask("yes or no? three")
    expect(dashboard.log.locator("article")).to_have_count(4)
    expect(dashboard.log).not_to_contain_text("two")
