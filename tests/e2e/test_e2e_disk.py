"""A disk that fills up under a running server, and has room again."""

from __future__ import annotations

import time
from pathlib import Path

import pytest
from served import ask, fetch, served, status
from small_disk import on_small_disk

pytestmark = pytest.mark.e2e

REVIEW = Path(__file__).parents[2] / "examples" / "code-review.vega.yaml"
CHAT = "/api/agents/Coder/chat"
HELLO = {"message": "hello"}


def fill(place: Path) -> Path:
    """Takes all the room that is left."""
    filler = place / "filler"
    with filler.open("wb", buffering=0) as file:
        try:
            while True:
                file.write(b"\0" * 4096)
        except OSError:
            return filler


def await_ready(url: str) -> float:
    """Seconds until the server says that it is ready."""
    begun = time.monotonic()
    while status(url, "/readyz") != 200:
        assert time.monotonic() - begun < 10
        time.sleep(0.05)
    return time.monotonic() - begun


def test_a_full_disk_makes_the_server_read_only_until_there_is_room(tmp_path: Path) -> None:
    disk = tmp_path / "disk"
    disk.mkdir()
    with served(REVIEW, disk / "vega.db", within=on_small_disk(disk, 2)) as (process, url):
        inside = Path(f"/proc/{process.pid}/root{disk}")
        assert status(url, CHAT, HELLO) == 200
        with ask(url, f"{CHAT}/stream", {"message": "Write a binary search function"}) as stream:
            assert any(b"text_delta" in line for line in iter(stream.readline, b""))
            filler = fill(inside)
            refused = fetch(url, "/api/sessions", {"agent": "Coder"})
            assert (refused["status"], refused["code"]) == (507, "disk_full")
            assert "the disk is full; free some space" in refused["error"]
            assert status(url, CHAT, HELLO) == 507
            assert "is read-only" in fetch(url, "/readyz")["reasons"][0]
            assert status(url, "/readyz") == 503
            assert status(url, "/api/agents") == status(url, "/api/processes") == status(url, "/healthz") == 200
            filler.unlink()
            took = await_ready(url)
            rest = stream.read()  # the answer that was being given waited for the disk
        assert b"event: done" in rest
        assert b"event: error" not in rest
        assert status(url, CHAT, HELLO) == 200
        assert [entry["incarnation"] for entry in fetch(url, "/api/processes")] == [1]
        assert len(fetch(url, "/api/events/log?type=alert.store")) == 1
        print(f"ready {took:.2f} s after there was room")
