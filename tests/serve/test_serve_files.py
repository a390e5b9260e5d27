"""Files of the sandbox over HTTP: what is in it, and nothing outside of it."""

from __future__ import annotations

import base64
from pathlib import Path
from typing import Any

import pytest
import trio

pytestmark = pytest.mark.e2e


@pytest.fixture
def workspace(tmp_path: Path) -> Path:
    folder = tmp_path / "workspace"
    (folder / "src").mkdir(parents=True)
    (folder / "a.txt").write_text("grüezi")
    (folder / "src" / "page.html").write_text("<script>alert(1)</script>")
    (folder / "pixel.png").write_bytes(b"\x89PNG\xff")
    (folder / "out").symlink_to("/etc")
    (tmp_path / "outside.txt").write_text("no")
    return folder


async def test_a_directory_is_listed_and_files_are_read(serving: Any, workspace: Path) -> None:
    with trio.fail_after(30):
        async with serving() as served:
            listed = (await served.http.get("/api/files")).json()
            below = (await served.http.get("/api/files", params={"path": "src"})).json()
            text = (await served.http.get("/api/files/read", params={"path": "a.txt"})).json()
            binary = (await served.http.get("/api/files/read", params={"path": "pixel.png"})).json()
            first = await served.http.get("/api/files?limit=1")
            second = await served.http.get(first.links["next"]["url"])
    assert [(each["name"], each["is_dir"]) for each in listed] == [
        ("a.txt", False),
        ("pixel.png", False),
        ("src", True),
    ]
    assert set(listed[0]) == {"name", "path", "is_dir", "size", "mod_time", "content_type"}
    assert (listed[0]["size"], listed[0]["content_type"]) == (7, "text/plain")
    assert below[0]["path"] == "src/page.html"
    assert (text["encoding"], text["content"]) == ("utf-8", "grüezi")
    assert base64.b64decode(binary["content"]) == b"\x89PNG\xff"
    assert [first.json()[0]["name"], second.json()[0]["name"]] == ["a.txt", "pixel.png"]


async def test_a_raw_file_is_an_attachment_that_no_browser_runs(serving: Any, workspace: Path) -> None:
    with trio.fail_after(30):
        async with serving() as served:
            page = await served.http.get("/workspace/src/page.html")
            pixel = await served.http.get("/workspace/pixel.png")
            head = await served.http.head("/workspace/pixel.png")
            (workspace / "big").write_bytes(b"0123456789abcdef" * 20_000)
            big = await served.http.get("/workspace/big")
    assert page.text == "<script>alert(1)</script>"
    assert page.headers["content-type"] == "application/octet-stream"
    assert page.headers["content-disposition"].startswith("attachment; ")
    assert page.headers["x-content-type-options"] == "nosniff"
    assert pixel.headers["content-type"] == "image/png"
    assert (head.status_code, head.headers["content-length"], head.content) == (200, "5", b"")
    assert big.content == b"0123456789abcdef" * 20_000


@pytest.mark.parametrize(
    "path", ["../outside.txt", "/etc/passwd", "out/passwd", "src/../../outside.txt", "a\0b", "nope", "a.txt/x"]
)
async def test_no_path_leads_out_of_the_sandbox(serving: Any, workspace: Path, path: str) -> None:
    with trio.fail_after(30):
        async with serving() as served:
            for method, address in (("GET", "/api/files"), ("GET", "/api/files/read"), ("DELETE", "/api/files")):
                answer = await served.http.request(method, address, params={"path": path})
                assert answer.status_code in (400, 404), answer.text
            raw = await served.raw(
                f"GET /workspace/{path.replace(chr(0), '%00')} HTTP/1.1\r\n"
                f"Host: 127.0.0.1:{served.port}\r\nConnection: close\r\n\r\n".encode()
            )
    assert raw.split()[1] in (b"400", b"404")
    assert Path("/etc/passwd").exists()
    assert (workspace.parent / "outside.txt").exists()


async def test_files_are_deleted_and_directories_only_when_empty_or_asked_for(serving: Any, workspace: Path) -> None:
    with trio.fail_after(30):
        async with serving() as served:

            async def delete(**query: str) -> int:
                return int((await served.http.delete("/api/files", params=query)).status_code)

            assert await delete(path="a.txt") == 200
            assert await delete(path="a.txt") == 404
            assert await delete(path="src") == 409
            assert await delete(path="src", recursive="true") == 200
            assert await delete(path="out") == 200
            assert await delete(path=".", recursive="true") == 400
            assert await delete() == 400
    assert [each.name for each in workspace.iterdir()] == ["pixel.png"]
    assert Path("/etc").is_dir()
