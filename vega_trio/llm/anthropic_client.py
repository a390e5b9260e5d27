"""A Claude model: Anthropic's SDK makes the first request and knows the key; the stream is decoded here.

Of a stream's delta the SDK takes two thirds to make its events, which nobody here needs (`messages_stream`), and of a
plain turn a fifth to make the request's head, which is the same each time. Importing this module imports the SDK;
`open_anthropic` does it in a thread.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from functools import partial
from typing import Any, cast

import attrs
import genai_prices  # noqa: F401 - here, in the thread, so that the first price does not hold up the loop
import httpx2
from anthropic import APIConnectionError, APIStatusError, AsyncAnthropic, AsyncStream, DefaultAsyncHttpxClient

from vega_trio._core.classify import ProviderError, classify
from vega_trio._core.codec import decode_json
from vega_trio._core.redact import shown_url
from vega_trio.errors import ModelError
from vega_trio.llm.calls import CONNECT_TIMEOUT_S, TOTAL_TIMEOUT_S, Exchange, HttpCaller, request_like
from vega_trio.llm.lanes import Lanes
from vega_trio.llm.messages_stream import MessageDecoder
from vega_trio.llm.messages_wire import request_body, with_caching, with_thinking
from vega_trio.llm.prices import price_of
from vega_trio.llm.temperature import Temperature
from vega_trio.messages import Usage
from vega_trio.protocols import ModelEvent, ModelRequest
from vega_trio.session import ErrorClass


@attrs.frozen
class _Client:
    """The SDK's and the one that it sends with, closed as the clients of other libraries are."""

    sdk: AsyncAnthropic
    http: httpx2.AsyncClient

    async def aclose(self) -> None:
        await self.sdk.close()


@attrs.define(eq=False)
class _Post:
    """The first request of a path is the SDK's, and those that follow are like it."""

    _made: dict[str, Any] = attrs.field(factory=dict, init=False, repr=False)

    async def __call__(self, client: _Client, path: str, data: bytes, headers: Mapping[str, str]) -> httpx2.Response:
        """Raises: the errors of httpx2."""
        if path in self._made:
            request: Any = request_like(self._made[path], data, headers)
            return await client.http.send(request, stream=True)
        response = await _post_with_sdk(client, path, data, headers)
        first = response.history[0] if response.history else response
        self._made[path] = made = request_like(cast("Any", first.request), b"", {})
        for name in headers:  # they are this one's
            del made.headers[name]
        return response


async def _post_with_sdk(client: _Client, path: str, data: bytes, headers: Mapping[str, str]) -> httpx2.Response:
    """Posts through the SDK, which warns of older models in `messages.create()` and takes no temperature there.

    Raises: the errors of httpx2.
    """
    try:
        response: Any = await client.sdk.post(
            path,
            cast_to=httpx2.Response,
            content=data,
            options={"headers": {"Content-Type": "application/json", **headers}},
            stream=True,
            stream_cls=AsyncStream[Any],
        )
    except APIStatusError as error:
        return error.response
    except APIConnectionError as error:
        cause = error.__cause__
        raise cause if isinstance(cause, httpx2.HTTPError) else httpx2.RequestError(str(cause or error)) from error
    return cast("httpx2.Response", response)


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
        response = await self._respond(request)
        async with response.events(MessageDecoder(self._caller.source)) as events:
            yield events

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
        """Within seconds, cancelled or not."""
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
    timeout = httpx2.Timeout(TOTAL_TIMEOUT_S, connect=CONNECT_TIMEOUT_S, read=read_timeout_s)
    # One for all: reading the certificates takes 20 ms.
    open_http = partial(DefaultAsyncHttpxClient, base_url=base_url, timeout=timeout, verify=httpx2.create_ssl_context())
    open_http()  # raises here, for the SDK leaves a wreck behind that complains when it is collected

    def open_client() -> Any:
        http = open_http()
        sdk = AsyncAnthropic(
            api_key=key,
            base_url=base_url,
            max_retries=0,
            timeout=timeout,
            http_client=http,
            open_telemetry=False,
        )
        return _Client(sdk, http)

    refused = partial(_why, model, shown_url(base_url))
    caller = HttpCaller(
        shown_url(base_url),
        read_timeout_s,
        Lanes(open_client),
        httpx2,
        refused,
        "ANTHROPIC_BASE_URL",
        _Post(),
    )
    return AnthropicModel(model, base_url, caller)
