"""A Claude model: Anthropic's SDK knows the headers, the key and its own defaults; requests and answers go past it.

Of a plain call's 1.1 ms the SDK took the half to make the request, and of a stream's delta two thirds to make its
events: so both are made here (`calls`, `messages_stream`). Importing this module imports the SDK; `open_anthropic` does
it in a thread.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, aclosing, asynccontextmanager
from functools import partial
from typing import Any, Final

import attrs
import genai_prices  # noqa: F401 - here, in the thread, so that the first price does not hold up the loop
import httpx2
from anthropic import AsyncAnthropic, DefaultAsyncHttpxClient

from vega_trio._core.classify import ProviderError, classify
from vega_trio._core.codec import decode_json
from vega_trio._version import __version__
from vega_trio.errors import ModelError
from vega_trio.llm.addresses import shown_url
from vega_trio.llm.calls import Exchange, HttpCaller
from vega_trio.llm.lanes import Lanes
from vega_trio.llm.messages_stream import MessageDecoder
from vega_trio.llm.messages_wire import request_body, with_caching, with_thinking
from vega_trio.llm.prices import price_of
from vega_trio.llm.reading import read_answer
from vega_trio.llm.temperature import Temperature
from vega_trio.messages import Usage
from vega_trio.protocols import ModelEvent, ModelRequest
from vega_trio.session import ErrorClass

_CONNECT_TIMEOUT_S: Final = 5.0
_TOTAL_TIMEOUT_S: Final = 600.0
_ABOUT_SDK: Final = ("x-stainless-", "user-agent")


@attrs.define(eq=False)
class AnthropicModel:
    """One model and its clients."""

    model: str
    base_url: str
    _caller: HttpCaller = attrs.field(repr=False)
    _temperature: Temperature = attrs.field(init=False, repr=False)

    def __attrs_post_init__(self) -> None:
        self._temperature = Temperature(self.name)

    @property
    def name(self) -> str:
        return f"anthropic:{self.model}"

    @asynccontextmanager
    async def stream(self, request: ModelRequest) -> AsyncIterator[AsyncIterator[ModelEvent]]:
        async with AsyncExitStack() as stack:
            response = await self._respond(request)
            stack.push_async_callback(response.aclose)
            chunks = await stack.enter_async_context(aclosing(response.chunks()))
            decoder = MessageDecoder(self._caller.source)
            yield await stack.enter_async_context(aclosing(read_answer(chunks, decoder)))

    def price(self, usage: Usage) -> int | None:
        return price_of("anthropic", self.model, usage)

    async def count_tokens(self, request: ModelRequest) -> int:
        """How many tokens the request comes to, by the provider's own count; it costs nothing. Raises: ModelError."""
        body = request_body(request, self.model, thinking=True, result_images=True)
        del body["max_tokens"]
        response = await self._caller.open_response("/v1/messages/count_tokens", body)
        try:
            answer: Any = decode_json(await response.read())
            return int(answer["input_tokens"])
        except (ValueError, LookupError, TypeError) as error:
            raise ModelError(f"{self._caller.source} gave no count of tokens: {error}", ErrorClass.TEMPORARY) from error
        finally:
            await response.aclose()

    async def aclose(self) -> None:
        await self._caller.lanes.aclose()

    async def _respond(self, request: ModelRequest) -> Exchange:
        """The response, its body unread; the caller closes it. Raises: ModelError."""
        body = request_body(request, self.model, thinking=True, result_images=True)
        body = with_caching(with_thinking(body, request))
        # Who thinks takes no temperature.
        temperature = None if "thinking" in body else request.temperature
        post = partial(self._caller.open_response, "/v1/messages", key=request.key)
        return await self._temperature.send(post, {**body, "stream": True}, temperature)


def _why(model: str, where: str, status: int, said: ProviderError) -> str:
    if classify(status, said) is ErrorClass.AUTHENTICATION:
        return f"{where} refused the API key; check ANTHROPIC_API_KEY, in the shell or in ~/.vega/env"
    if status == 404 and said.type == "not_found_error":
        return f"unknown model {model!r}; choose another with VEGA_MODEL or --model"
    return ""


def connect(model: str, *, key: str, base_url: str, read_timeout_s: float) -> AnthropicModel:
    """A model with its clients, which the caller closes. Retries are the engine's.

    Raises: ImportError or ValueError for a proxy of the environment that cannot be used.
    """
    timeout = httpx2.Timeout(_TOTAL_TIMEOUT_S, connect=_CONNECT_TIMEOUT_S, read=read_timeout_s)
    verify = httpx2.create_ssl_context()
    open_client = partial(DefaultAsyncHttpxClient, base_url=base_url, timeout=timeout, verify=verify)
    first = open_client()
    sdk = AsyncAnthropic(api_key=key, base_url=base_url, http_client=first, open_telemetry=False)
    # What the SDK tells of itself and of the machine is left out: it is not it that sends.
    headers = {
        name: value
        for name, value in sdk.default_headers.items()
        if isinstance(value, str) and not name.lower().startswith(_ABOUT_SDK)
    }
    open_lane: Any = partial(open_client, headers={**headers, "User-Agent": f"vega-trio/{__version__}"})
    refused = partial(_why, model, shown_url(base_url))
    caller = HttpCaller(
        shown_url(base_url), read_timeout_s, Lanes(open_lane), httpx2, refused, "ANTHROPIC_BASE_URL"
    )
    return AnthropicModel(model, base_url, caller)
