"""HTTP tools against a real server on loopback: what is sent, followed, read and shown."""

from __future__ import annotations

import gzip
import json
import socket
import zlib
from collections.abc import Awaitable, Callable
from typing import Any

import pytest
import trio

from vega_trio.destinations import parse_allow
from vega_trio.errors import ConfigError, ToolError, ToolRetry
from vega_trio.protocols import Tool
from vega_trio.tools.exchange import Outgoing, Page, Web, page_text
from vega_trio.tools.http import fetch, http_tools
from vega_trio.tools.search import NOT_SET_UP, web_search_tool

Call = Callable[..., Awaitable[str]]
Reply = Callable[..., bytes]


@pytest.fixture
def web(server: Any) -> Web:
    return Web(allow=parse_allow([f"127.0.0.1:{server.port}"]))


@pytest.fixture
def http_get(web: Web) -> Tool:
    return http_tools(web)[0]


@pytest.fixture
def http_post(web: Web) -> Tool:
    return http_tools(web)[1]


async def test_get_gives_the_body(server: Any, reply: Reply, http_get: Tool, call: Call) -> None:
    server.routes["/page"] = reply("grüß".encode("latin-1"), Content_Type="text/plain; charset=latin-1")
    with trio.fail_after(5):
        assert await call(http_get, url=server.url("/page?q=a b"), headers={"X-Mine": "ü"}) == "grüß"
    (asked,) = server.asked
    assert (asked.method, asked.target, asked.headers["x-mine"]) == ("GET", "/page?q=a%20b", "ü")
    assert asked.headers["accept-encoding"] == "identity"


@pytest.mark.parametrize(
    ("body", "sent", "kind"),
    [
        ({"a": 1}, b'{"a":1}', "application/json"),
        (["x"], b'["x"]', "application/json"),
        ('{"a": 1}', b'{"a": 1}', "application/json"),
        ("a=1", b"a=1", "text/plain; charset=utf-8"),
        ("{oops", b"{oops", "text/plain; charset=utf-8"),
    ],
)
async def test_post_sends_the_body(
    server: Any, reply: Reply, http_post: Tool, call: Call, body: Any, sent: bytes, kind: str
) -> None:
    server.routes["/in"] = reply(b"ok")
    with trio.fail_after(5):
        assert await call(http_post, url=server.url("/in"), body=body) == "ok"
    (asked,) = server.asked
    assert (asked.method, asked.body, asked.headers["content-type"]) == ("POST", sent, kind)


async def test_post_without_a_body_and_with_its_own_content_type(
    server: Any, reply: Reply, http_post: Tool, call: Call
) -> None:
    server.routes["/in"] = reply(b"ok")
    with trio.fail_after(5):
        await call(http_post, url=server.url("/in"))
        await call(http_post, url=server.url("/in"), body="x", headers={"content-type": "text/csv"})
    assert "content-type" not in server.asked[0].headers
    assert server.asked[1].headers["content-type"] == "text/csv"


async def test_a_status_of_400_and_above_is_an_error_with_the_body(server: Any, http_get: Tool, call: Call) -> None:
    with trio.fail_after(5), pytest.raises(ToolError, match=r"HTTP 404 Not Found from http://.*/none\nno such page"):
        await call(http_get, url=server.url("/none"))


@pytest.mark.parametrize(
    ("headers", "complaint"),
    [
        ({"X-Evil": "a\r\nX-Other: b"}, "may not hold a line break"),
        ({"X-Evil": "a\nb"}, "may not hold a line break"),
        ({"X: y": "a"}, "is not a header name"),
        ({"": "a"}, "is not a header name"),
        ({"Host": "internal"}, "cannot be set by a tool"),
        ({"Content-Length": "0"}, "cannot be set by a tool"),
    ],
)
async def test_a_header_cannot_smuggle_another(
    server: Any, http_get: Tool, call: Call, headers: dict[str, str], complaint: str
) -> None:
    with trio.fail_after(5), pytest.raises(ToolRetry, match=complaint):
        await call(http_get, url=server.url("/"), headers=headers)
    assert server.asked == []


@pytest.mark.parametrize(
    "url", ["file:///etc/passwd", "ftp://example.com/", "/etc/passwd", "http://", "", "http://a:b/", "gopher://x/"]
)
async def test_what_is_no_web_address_is_refused(http_get: Tool, call: Call, url: str) -> None:
    with trio.fail_after(30), pytest.raises(ToolError, match=r"is not a (URL of a web page|valid URL)"):
        await call(http_get, url=url)


# -- redirects


async def test_five_redirects_are_followed_and_a_sixth_is_not(
    server: Any, reply: Reply, http_get: Tool, call: Call
) -> None:
    for number in range(7):
        server.routes[f"/{number}"] = reply(status="302 Found", Location=f"/{number + 1}")
    server.routes["/7"] = reply(b"there")
    with trio.fail_after(5):
        assert await call(http_get, url=server.url("/2")) == "there"
        with pytest.raises(ToolError, match="redirects more than 5 times"):
            await call(http_get, url=server.url("/1"))


async def test_a_redirect_elsewhere_takes_no_secret_header_along(
    server: Any, reply: Reply, web: Web, nursery: trio.Nursery
) -> None:
    (listener,) = await trio.open_tcp_listeners(0, host="127.0.0.1")
    other = type(server)(listener.socket.getsockname()[1])
    await nursery.start(trio.serve_listeners, other.handle, [listener])
    other.routes["/in"] = reply(b"ok")
    server.routes["/here"] = reply(status="307 Temporary Redirect", Location="/same")
    server.routes["/same"] = reply(status="307 Temporary Redirect", Location=other.url("/in"))
    open_web = Web(allow=parse_allow(["127.0.0.1"]))
    headers = {"Authorization": "Bearer s", "X-Api-Key": "s", "Content-Type": "text/csv"}
    with trio.fail_after(5):
        await fetch(open_web, Outgoing(method="POST", url=server.url("/here"), headers=headers, content=b"body"))
    assert [asked.headers.get("x-api-key") for asked in server.asked] == ["s", "s"]
    (asked,) = other.asked
    assert not {"authorization", "x-api-key"} & set(asked.headers)
    assert (asked.body, asked.headers["content-type"]) == (b"body", "text/csv")


async def test_a_redirect_to_another_scheme_is_refused(server: Any, reply: Reply, http_get: Tool, call: Call) -> None:
    server.routes["/"] = reply(status="302 Found", Location="file:///etc/passwd")
    with trio.fail_after(5), pytest.raises(ToolError, match="is not a URL of a web page"):
        await call(http_get, url=server.url("/"))


# -- sizes and broken answers


async def test_an_endless_answer_is_read_up_to_the_limit_and_left(
    server: Any, web: Web, resources: Callable[[], Any]
) -> None:
    server.routes["/hang"] = b"HTTP/1.1 200 OK\r\n\r\n" + b"x" * 200_000
    small = Web(allow=web.allow, max_read=100_000)
    before = resources()
    with trio.fail_after(5):
        page = await fetch(small, Outgoing(method="GET", url=server.url("/hang")))
        await trio.testing.wait_all_tasks_blocked()
    assert (len(page.body), page.complete) == (100_000, False)
    assert page_text(page).startswith("xxx")
    assert resources().descriptors <= before.descriptors + 1  # the server's side of the connection


async def test_the_model_gets_64_kib(server: Any, reply: Reply, http_get: Tool, call: Call) -> None:
    server.routes["/big"] = reply(b"x" * 100_000)
    with trio.fail_after(5):
        text = await call(http_get, url=server.url("/big"))
    assert text.startswith("x" * 65_024 + "\n[output truncated")


@pytest.mark.parametrize(("encoding", "pack"), [("gzip", gzip.compress), ("deflate", zlib.compress)])
async def test_what_was_compressed_unasked_is_unfolded_up_to_the_limit(
    server: Any, reply: Reply, web: Web, encoding: str, pack: Callable[[bytes], bytes]
) -> None:
    server.routes["/bomb"] = reply(pack(b"0" * 5_000_000), Content_Encoding=encoding)
    with trio.fail_after(5):
        page = await fetch(Web(allow=web.allow, max_read=70_000), Outgoing(method="GET", url=server.url("/bomb")))
    assert page.body == b"0" * 70_000


@pytest.mark.parametrize(
    ("answer", "complaint"),
    [
        (b"not http at all\r\n\r\n", "cannot be fetched"),
        (b"", "cannot be fetched"),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 50\r\n\r\nshort", "cannot be fetched"),
        (b"HTTP/1.1 200 OK\r\nContent-Encoding: br\r\nContent-Length: 1\r\n\r\nx", "content encoding 'br'"),
        (b"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: 4\r\n\r\nxxxx", "gzip content is broken"),
        (b"HTTP/1.1 302 Found\r\nLocation: http://a:b/\r\nContent-Length: 0\r\n\r\n", "cannot be fetched|valid URL"),
    ],
)
async def test_a_broken_answer_is_an_error_for_the_model(
    server: Any, http_get: Tool, call: Call, answer: bytes, complaint: str
) -> None:
    server.routes["/"] = answer
    with trio.fail_after(5), pytest.raises(ToolError, match=complaint):
        await call(http_get, url=server.url("/"))


async def test_a_port_where_nobody_listens_is_an_error_for_the_model(call: Call) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{taken.getsockname()[1]}/"
        get, _ = http_tools(Web(allow=parse_allow(["127.0.0.1"])))
        with trio.fail_after(5), pytest.raises(ToolError, match="cannot be fetched"):
            await call(get, url=url)


async def test_a_server_that_never_answers_is_left_at_the_timeout(
    server: Any, reply: Reply, web: Web, resources: Callable[[], Any]
) -> None:
    server.routes["/hang"] = b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n"
    before = resources()
    with trio.fail_after(5):
        with trio.move_on_after(0.05) as scope:
            await fetch(web, Outgoing(method="GET", url=server.url("/hang")))
    assert scope.cancelled_caught
    assert resources().descriptors <= before.descriptors + 1


def test_binary_data_and_unknown_charsets_are_shown_somehow() -> None:
    def shown(body: bytes, kind: str) -> str:
        return page_text(Page(status=200, reason="OK", label="u", content_type=kind, body=body, complete=True))

    assert shown(b"\x89PNG\0\0", "image/png; x=y") == "[6 bytes of binary data, image/png]"
    assert shown("ü".encode(), "text/html; charset=nonsense") == "ü"
    assert shown("ü".encode(), "text/html; charset=hex") == "ü"
    assert shown(b"a\xff", "text/html") == "a�"


# -- search


async def test_search_without_a_provider_says_how_to_set_one_up(call: Call) -> None:
    with trio.fail_after(30), pytest.raises(ToolError) as caught:
        await call(web_search_tool(), query="x")
    assert str(caught.value) == NOT_SET_UP


async def test_the_canned_search_gives_three_results(call: Call) -> None:
    found = web_search_tool(canned=True)
    with trio.fail_after(30):
        text = await call(found, query="Go  releases")
        assert text == await call(found, query="Go releases")
        assert (await call(found, query="x", count=1)).startswith("Found 1 result\n")
    assert text.startswith("Found 3 results\n\n1. Go releases: an overview\n   https://example.com/overview\n")


async def test_a_search_server_of_the_owner_may_be_private(server: Any, reply: Reply, call: Call) -> None:
    hits = [{"title": f"T{n}", "url": f"https://x/{n}", "content": "a\n b"} for n in range(3)]
    server.routes["/search"] = reply(json.dumps({"results": hits}).encode())
    found = web_search_tool(search_url=server.url("/search?lang=en"))
    with trio.fail_after(5):
        text = await call(found, query="a & b", count=2)
    assert text == "Found 2 results\n\n1. T0\n   https://x/0\n   a b\n\n2. T1\n   https://x/1\n   a b"
    assert server.asked[0].target == "/search?lang=en&q=a+%26+b&format=json"


@pytest.mark.parametrize("url", ["http://[::1", "http://host:99999/", "http://host:x/", "host/search", "ftp://host/"])
def test_the_address_of_a_search_server_that_is_none_is_named(url: str) -> None:
    with pytest.raises(ConfigError, match=r"VEGA_SEARCH_URL is .* which is no address"):
        web_search_tool(search_url=url)


@pytest.mark.parametrize(
    ("body", "status", "complaint"),
    [
        (b"<html>", "200 OK", "did not answer with JSON"),
        (b'{"results": {"a": 1}}', "200 OK", "did not answer with a list"),
        (b"", "429 Too Many Requests", "answered HTTP 429"),
    ],
)
async def test_a_search_provider_that_fails_is_told(
    server: Any, reply: Reply, call: Call, body: bytes, status: str, complaint: str
) -> None:
    server.routes["/search"] = reply(body, status=status)
    with trio.fail_after(5), pytest.raises(ToolError, match=complaint):
        await call(web_search_tool(search_url=server.url("/search")), query="x")
