"""The page and its files, with and without a bundle."""

from __future__ import annotations

from typing import Any

import attrs
from quart_trio import QuartTrio

from vega_trio.serve.assets import Asset, Bundle
from vega_trio.serve.static import file, page


@attrs.frozen
class Counter:
    """As much of a desk as the page needs."""

    bundle: Bundle


@attrs.frozen
class Asked:
    path: str


SCRIPT = Asset(b"run()", "text/javascript; charset=utf-8", lasting=True)
ICON = Asset(b"<svg/>", "image/svg+xml", lasting=False)
BUNDLE = Bundle({"/assets/a.js": SCRIPT, "/favicon.svg": ICON}, b'<meta content="__CSP_NONCE__">')


async def answer(handler: Any, bundle: Bundle, path: str) -> tuple[str, Any]:
    async with QuartTrio(__name__).app_context():
        response = await handler(Counter(bundle), Asked(path))
        return (await response.get_data()).decode(), response.headers


async def test_the_page_carries_the_nonce_of_its_policy() -> None:
    text, headers = await answer(page, BUNDLE, "/")
    nonce = text.removeprefix('<meta content="').removesuffix('">')
    assert len(nonce) >= 16
    assert f"'nonce-{nonce}'" in headers["content-security-policy"]


async def test_hashed_files_may_be_kept_for_ever_and_others_not() -> None:
    text, headers = await answer(file, BUNDLE, "/assets/a.js")
    assert text == "run()"
    assert "immutable" in headers["cache-control"]
    _, headers = await answer(file, BUNDLE, "/favicon.svg")
    assert headers["cache-control"] == "no-cache"
    assert headers["content-type"] == "image/svg+xml"


async def test_without_a_bundle_the_page_says_how_to_build_it() -> None:
    text, headers = await answer(page, Bundle({}, None), "/")
    assert "make web" in text
    assert "frame-ancestors 'none'" in headers["content-security-policy"]
