"""What the server writes about requests, and what it refuses before they are any."""

from __future__ import annotations

import json
import logging
from typing import Any

import pytest
import trio

from vega_trio.errors import InputError
from vega_trio.session import Session


@pytest.mark.e2e
async def test_each_request_is_one_line_without_its_query(serving: Any, caplog: pytest.LogCaptureFixture) -> None:
    with trio.fail_after(30), caplog.at_level(logging.INFO, "vega_trio.access"):
        async with serving(["hi"]) as served:
            await served.http.get("/api/agents?secret=hush")
            await served.http.get("/api/nosuch")
    first, second = [record for record in caplog.records if record.name == "vega_trio.access"]
    told = first.vega
    assert (told["method"], told["path"], told["status"], told["user"]) == ("GET", "/api/agents", 200, "default")
    assert told["bytes"] > 0
    assert told["request_id"]
    assert "hush" not in json.dumps(told)
    assert second.vega["status"] == 404
    assert "GET /api/nosuch 404" in second.getMessage()


@pytest.mark.e2e
async def test_http_2_is_refused(serving: Any) -> None:
    settings = b"\x00\x00\x00\x04\x00\x00\x00\x00\x00"
    # :method GET, :scheme http, :path /, :authority localhost
    headers = b"\x82\x86\x84\x41\x09localhost"
    head = len(headers).to_bytes(3, "big") + b"\x01\x05\x00\x00\x00\x01"
    with trio.fail_after(30):
        async with serving() as served:
            stream = await trio.open_tcp_stream("127.0.0.1", served.port)
            async with stream:
                await stream.send_all(b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + settings + head + headers)
                heard = b""
                with trio.move_on_after(3):
                    while b"HTTP/1.1 only" not in heard and (chunk := await stream.receive_some(65536)):
                        heard += chunk
    assert b"HTTP/1.1 only" in heard


@pytest.mark.e2e
async def test_an_empty_message_passes_no_door(serving: Any) -> None:
    with trio.fail_after(30):
        async with serving() as served:
            with pytest.raises(InputError, match="empty"):
                await served.app.ask(Session("assistant"), " \n")
            with pytest.raises(InputError, match="empty"):
                async with served.app.chat(Session("assistant"), ""):
                    pass
            assert (await served.http.get("/api/sessions")).json() == []
