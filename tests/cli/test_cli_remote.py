"""The client side of commands that ask a running server, against real sockets."""

from __future__ import annotations

import json
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import pytest

from vega_trio.cli.config import Config, Setup
from vega_trio.cli.failure import NO_SERVER, USAGE, Failure
from vega_trio.cli.remote import Remote, open_remote

STREAM = b': connected\n\nevent: a.b\ndata: {"n":1}\nid: 1\n\nevent: c.d\ndata: {}\nid: 2\n\n'


class Handler(BaseHTTPRequestHandler):
    def log_message(self, *_: object) -> None:
        """Says nothing."""

    def answer(self, status: int, body: bytes) -> None:
        self.send_response(status)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def do_GET(self) -> None:
        if self.path.startswith("/api/events"):
            self.answer(200, STREAM)
        elif self.path == "/api/token":
            self.answer(401, b'{"error": "a token is needed"}')
        elif self.path == "/api/none":
            self.answer(404, json.dumps({"error": "there is no 'x'", "hint": "look"}).encode())
        elif self.path == "/page":
            self.answer(200, b"<html>")
        else:
            seen = {"path": self.path, "token": self.headers.get("Authorization")}
            self.answer(200, json.dumps(seen).encode())

    def do_POST(self) -> None:
        self.answer(200, self.rfile.read(int(self.headers["Content-Length"])))


@contextmanager
def listening() -> Iterator[str]:
    with HTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_port}"
        finally:
            server.shutdown()
            thread.join()


def setup(home: Path, **env: str) -> Setup:
    return Setup(home=home, env=env, config=Config())


def test_a_remote_asks_with_query_and_body_and_decodes_what_it_is_told() -> None:
    with listening() as url:
        remote = Remote(base=url, token="t0")
        assert remote.get("/api/x", subtree=True, limit=3) == {
            "path": "/api/x?subtree=true&limit=3",
            "token": "Bearer t0",
        }
        assert remote.post("/api/x", {"decision": "deny"}) == {"decision": "deny"}


def test_a_refusal_is_told_in_the_servers_words_with_its_hint() -> None:
    with listening() as url, pytest.raises(Failure, match="there is no 'x'") as caught:
        Remote(base=url).get("/api/none")
    assert (caught.value.hint, caught.value.code) == ("look", 1)


def test_a_server_that_wants_a_token_says_how_to_give_it() -> None:
    with listening() as url, pytest.raises(Failure) as caught:
        Remote(base=url).get("/api/token")
    assert "VEGA_TOKEN" in caught.value.hint


def test_where_no_vega_server_answers_the_exit_code_is_six() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        with pytest.raises(Failure, match="no vega server") as caught:
            Remote(base=f"http://127.0.0.1:{taken.getsockname()[1]}").get("/api/x")
    assert caught.value.code == NO_SERVER
    assert str(caught.value).endswith(": Connection refused")
    with listening() as url, pytest.raises(Failure, match="no JSON") as foreign:
        Remote(base=url).get("/page")
    assert foreign.value.code == NO_SERVER


def test_a_stream_gives_its_events_in_order() -> None:
    with listening() as url:
        events = list(Remote(base=url).events("/api/events", query={"types": "a.*"}))
    assert [(each.event, each.data) for each in events] == [("a.b", b'{"n":1}'), ("c.d", b"{}")]


@pytest.mark.parametrize(
    ("url", "base"),
    [
        ("http://localhost:3001/", "http://localhost:3001"),
        ("localhost:4000", "http://localhost:4000"),
        ("https://vega.example.com", "https://vega.example.com"),
    ],
)
def test_an_address_is_an_origin(tmp_path: Path, url: str, base: str) -> None:
    assert open_remote(setup(tmp_path), url).base == base


@pytest.mark.parametrize("url", ["http://host/api", "ftp://host", "http://u:p@host", "http://", "http://h?x=1"])
def test_what_is_no_address_is_refused_as_usage(tmp_path: Path, url: str) -> None:
    with pytest.raises(Failure) as caught:
        open_remote(setup(tmp_path), url)
    assert caught.value.code == USAGE


def test_the_token_of_the_home_goes_to_this_machine_only(tmp_path: Path) -> None:
    (tmp_path / "token").write_text("secret\n")
    assert open_remote(setup(tmp_path), None).token == "secret"
    assert open_remote(setup(tmp_path), "http://vega.example.com").token is None
    assert open_remote(setup(tmp_path, VEGA_TOKEN="own"), "http://vega.example.com").token == "own"
    assert "secret" not in repr(open_remote(setup(tmp_path), None))
