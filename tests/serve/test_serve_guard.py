"""Who may speak to the server."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from vega_trio.errors import ConfigError
from vega_trio.serve.guard import Head, allowed_origin, is_preflight, judge, open_policy

POLICY = open_policy(3001, ["vega.example.com", "box:8443"], ["https://app.example.com"], 1000)


def verdict(method: str = "GET", path: str = "/api/agents", **headers: str) -> int | None:
    named = {name.replace("_", "-"): value for name, value in {"host": "localhost:3001", **headers}.items()}
    problem = judge(Head(method=method, path=path, headers=named), POLICY)
    return problem.status if problem else None


@pytest.mark.parametrize(
    "host", ["localhost:3001", "127.0.0.1:3001", "[::1]:3001", "LOCALHOST:3001", "vega.example.com", "box:8443"]
)
def test_our_own_names_are_served(host: str) -> None:
    assert verdict(host=host) is None


@pytest.mark.parametrize(
    "host",
    [
        "",
        "evil.example",
        "localhost",
        "localhost:3002",
        "localhost:3001.evil.example",
        "evil.example:3001",
        "localhost.:3001",
        "127.0.0.1:3001@evil",
        "0.0.0.0:3001",
        "box",
        "box:1",
        "localhost:3001, evil",
    ],
)
def test_another_host_is_misdirected_also_for_pages(host: str) -> None:
    assert verdict(host=host) == 421
    assert verdict(host=host, path="/") == 421


def test_a_name_allowed_without_a_port_is_allowed_on_any() -> None:
    assert verdict(host="vega.example.com:8443") is None


@pytest.mark.parametrize("origin", ["null", "https://evil.example", "http://localhost:3002", "http://localhost", ""])
def test_a_foreign_origin_is_refused(origin: str) -> None:
    assert verdict(origin=origin) == 403
    assert verdict("POST", "/anywhere", origin=origin) == 403


def test_our_own_page_may_also_behind_a_proxy_with_tls() -> None:
    assert verdict(origin="http://localhost:3001", sec_fetch_site="same-origin") is None
    assert verdict(host="vega.example.com", origin="https://vega.example.com") is None


@pytest.mark.parametrize("site", ["cross-site", "same-site"])
def test_a_page_of_another_site_is_refused_even_without_an_origin(site: str) -> None:
    assert verdict(sec_fetch_site=site) == 403


def test_a_link_from_elsewhere_may_open_the_page() -> None:
    assert verdict(path="/overview", sec_fetch_site="cross-site") is None


def test_an_allowed_origin_may() -> None:
    assert verdict(origin="https://app.example.com", sec_fetch_site="cross-site") is None
    head = Head(
        method="OPTIONS",
        path="/api/agents",
        headers={
            "host": "localhost:3001",
            "origin": "https://app.example.com",
            "access-control-request-method": "POST",
        },
    )
    assert is_preflight(head, POLICY)
    assert allowed_origin(head, POLICY) == "https://app.example.com"


def test_a_form_is_no_json() -> None:
    assert verdict("POST", content_type="text/plain", content_length="5") == 415
    assert verdict("POST", content_type="application/x-www-form-urlencoded", content_length="0") == 415
    assert verdict("POST", content_length="5") == 415
    assert verdict("POST", transfer_encoding="chunked") == 415
    assert verdict("DELETE", content_type="multipart/form-data; boundary=x", content_length="9") == 415


def test_json_and_nothing_at_all_are_taken() -> None:
    assert verdict("POST", content_type="application/json", content_length="5") is None
    assert verdict("POST", content_type="Application/JSON; charset=utf-8", content_length="5") is None
    assert verdict("POST", content_length="0") is None
    assert verdict("DELETE") is None


def test_a_body_too_large_by_its_own_words_is_refused_at_once() -> None:
    assert verdict("POST", content_type="application/json", content_length="1000") is None
    assert verdict("POST", content_type="application/json", content_length="1001") == 413
    assert verdict("POST", content_type="application/json", content_length="-1") == 400


def test_a_target_that_is_no_path_is_refused() -> None:
    assert verdict(path="http://evil.example/api/agents") == 400
    assert verdict("OPTIONS", path="*") == 400


@pytest.mark.parametrize("origin", ["*", "null", "https://*.example.com", "app.example.com", "https://a.b/path", ""])
def test_an_origin_that_is_none_cannot_be_allowed(origin: str) -> None:
    with pytest.raises(ConfigError, match="--allow-origin"):
        open_policy(1, [], [origin], 1)


@pytest.mark.parametrize("host", ["*", "*.example.com", "http://a.b", "a/b", "u@h", ""])
def test_a_host_that_is_none_cannot_be_allowed(host: str) -> None:
    with pytest.raises(ConfigError, match="--allow-host"):
        open_policy(1, [host], [], 1)


@settings(max_examples=100)
@given(st.text(max_size=30))
def test_no_invented_host_is_served(host: str) -> None:
    known = {"localhost:3001", "127.0.0.1:3001", "[::1]:3001", "vega.example.com", "box:8443"}
    if host.lower() not in known and not host.lower().startswith("vega.example.com:"):
        assert verdict(host=host) == 421


@pytest.mark.parametrize("path", ["//api/agents", "///api/agents", "/api//agents", "//", "/a//api/agents"])
def test_a_path_that_routing_would_fold_is_refused_before_it_is_judged(path: str) -> None:
    assert verdict(path=path) == 400
    assert verdict("POST", path, origin="null") == 400
