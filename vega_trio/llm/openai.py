"""Chat completions over HTTP (extra `http`): OpenAI, and whatever speaks as it does: Ollama, vLLM, llama.cpp."""

from __future__ import annotations

import os
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from functools import partial
from typing import TYPE_CHECKING, Final
from urllib.parse import urlsplit

import attrs
import trio

from vega_trio._core.classify import ProviderError
from vega_trio._core.redact import shown_url
from vega_trio._core.window import about_tokens
from vega_trio.errors import MissingExtra, MissingKey, ModelError
from vega_trio.llm.addresses import api_key, base_url
from vega_trio.llm.calls import CONNECT_TIMEOUT_S, READ_TIMEOUT_S, TOTAL_TIMEOUT_S, HttpCaller
from vega_trio.llm.chat_stream import ChatDecoder
from vega_trio.llm.chat_wire import chat_body
from vega_trio.llm.lanes import Lanes
from vega_trio.llm.prices import price_of
from vega_trio.llm.temperature import Temperature
from vega_trio.messages import Usage
from vega_trio.protocols import ModelEvent, ModelRequest
from vega_trio.session import ErrorClass

if TYPE_CHECKING:
    from types import ModuleType

    import httpx

BASE_URL: Final = "https://api.openai.com/v1"


@asynccontextmanager
async def open_openai(
    model: str, *, env: Mapping[str, str] | None = None, read_timeout_s: float = READ_TIMEOUT_S
) -> AsyncIterator[ChatModel]:
    """The model `model` with a client of its own, closed with the block.

    `env` (the environment by default) gives `OPENAI_API_KEY` and `OPENAI_BASE_URL`, which ends in `/v1` with most
    servers; one of your own needs no key. `read_timeout_s` is how long the server may stay silent.

    Raises: MissingKey; MissingExtra; ModelError for a key or an address that cannot be used.
    """
    env = os.environ if env is None else env
    url = base_url(env, "OPENAI_BASE_URL", BASE_URL)
    key = api_key(env, "OPENAI_API_KEY", "platform.openai.com")
    if not key and _is_openai(url):
        raise MissingKey(
            "no API key for OpenAI: `export OPENAI_API_KEY=...` or put that line into ~/.vega/env; for a server of "
            "your own set OPENAI_BASE_URL, such as http://localhost:11434/v1"
        )
    library, open_client = await trio.to_thread.run_sync(_connect, url, key, read_timeout_s)
    lanes = Lanes(open_client)
    try:
        refused = partial(_why, model, shown_url(url))
        yield ChatModel(model, url, HttpCaller(shown_url(url), read_timeout_s, lanes, library, refused))
    finally:
        await lanes.aclose()


@attrs.define(eq=False)
class ChatModel:
    """One model of one server."""

    model: str
    base_url: str
    _caller: HttpCaller = attrs.field(repr=False)
    _temperature: Temperature = attrs.field(init=False, repr=False)

    def __attrs_post_init__(self) -> None:
        self._temperature = Temperature(self.name)

    @property
    def name(self) -> str:
        return f"openai:{self.model}"

    @asynccontextmanager
    async def stream(self, request: ModelRequest) -> AsyncIterator[AsyncIterator[ModelEvent]]:
        # OpenAI's newer models refuse the old name, other servers do not all know the new one.
        limit_key = "max_completion_tokens" if _is_openai(self.base_url) else "max_tokens"
        body = chat_body(request, self.model, limit_key=limit_key)
        post = partial(self._caller.open_response, "chat/completions", key=request.key)
        response = await self._temperature.send(post, body, request.temperature)
        decoder = ChatDecoder(self._caller.source, Usage(input_tokens=about_tokens(request)))
        async with response.events(decoder) as events:
            yield events

    def price(self, usage: Usage) -> int | None:
        return price_of("openai", self.model, usage, url=self.base_url)


def _is_openai(url: str) -> bool:
    return urlsplit(url).hostname == "api.openai.com"


def _why(model: str, where: str, status: int, said: ProviderError) -> str:
    if status == 401 or said.code == "invalid_api_key":
        return f"{where} refused the API key; check OPENAI_API_KEY, in the shell or in ~/.vega/env"
    if status == 404 and (said.code == "model_not_found" or "model" in said.message):
        return f"unknown model {model!r} at {where}; choose another with VEGA_MODEL or --model"
    if status == 404:
        return f"{where} has no chat completions; check OPENAI_BASE_URL, which mostly ends in /v1"
    return ""


def _connect(url: str, key: str, read_timeout_s: float) -> tuple[ModuleType, Callable[[], httpx.AsyncClient]]:
    """Imports httpx and the price list and reads the certificates: work for a thread."""
    try:
        import genai_prices  # noqa: F401 - so that the first price does not hold up the loop
        import httpx
    except ImportError as error:
        raise MissingExtra("http", "an OpenAI-compatible model") from error
    open_client = partial(
        httpx.AsyncClient,
        base_url=url.rstrip("/") + "/",
        headers={"authorization": f"Bearer {key}"} if key else {},
        timeout=httpx.Timeout(TOTAL_TIMEOUT_S, connect=CONNECT_TIMEOUT_S, read=read_timeout_s, pool=None),
        verify=httpx.create_ssl_context(),
    )
    try:
        open_client()  # it has no connection yet
    except (ImportError, ValueError) as error:  # a proxy of the environment that httpx cannot use
        text = f"cannot make a client for {shown_url(url)}: {error}; check ALL_PROXY, HTTPS_PROXY, HTTP_PROXY"
        raise ModelError(text, ErrorClass.INVALID_REQUEST) from error
    return httpx, open_client
