"""Opens Anthropic's models. The SDK (2 s of CPU, 60 MiB) loads in a thread when the first of them is opened."""

from __future__ import annotations

import os
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

import trio

from vega_trio._core.redact import shown_url
from vega_trio.errors import MissingExtra, MissingKey, ModelError
from vega_trio.llm.addresses import api_key, base_url
from vega_trio.llm.calls import READ_TIMEOUT_S
from vega_trio.llm.names import DEFAULT_MODEL
from vega_trio.session import ErrorClass

if TYPE_CHECKING:
    from vega_trio.llm.anthropic_client import AnthropicModel

BASE_URL = "https://api.anthropic.com"


@asynccontextmanager
async def open_anthropic(
    model: str = DEFAULT_MODEL, *, env: Mapping[str, str] | None = None, read_timeout_s: float = READ_TIMEOUT_S
) -> AsyncIterator[AnthropicModel]:
    """The model `model` with a client of its own, closed with the block.

    `env` (the environment by default) gives `ANTHROPIC_API_KEY` and `ANTHROPIC_BASE_URL`. `read_timeout_s` is how
    long the server may stay silent.

    Raises: MissingKey; MissingExtra; ModelError for a key or an address that cannot be used.
    """
    env = os.environ if env is None else env
    key, url = _key(env), base_url(env, "ANTHROPIC_BASE_URL", BASE_URL)
    opened = await trio.to_thread.run_sync(_connect, model, key, url, read_timeout_s)
    try:
        yield opened
    finally:
        await opened.aclose()


def _connect(model: str, key: str, url: str, read_timeout_s: float) -> AnthropicModel:
    """Imports the SDK and reads the certificates: work for a thread."""
    try:
        from vega_trio.llm import anthropic_client
    except ImportError as error:
        raise MissingExtra("anthropic", "a model of Anthropic's") from error
    try:
        return anthropic_client.connect(model, key=key, base_url=url, read_timeout_s=read_timeout_s)
    except (ImportError, ValueError) as error:  # a proxy of the environment that the HTTP library cannot use
        text = f"cannot make a client for {shown_url(url)}: {error}; check ALL_PROXY, HTTPS_PROXY, HTTP_PROXY"
        raise ModelError(text, ErrorClass.INVALID_REQUEST) from error


def _key(env: Mapping[str, str]) -> str:
    key = api_key(env, "ANTHROPIC_API_KEY", "console.anthropic.com")
    if not key:
        raise MissingKey(
            "no API key for Anthropic: `export ANTHROPIC_API_KEY=...` or put that line into ~/.vega/env, "
            "or try vega without a key: `--model demo`"
        )
    return key
