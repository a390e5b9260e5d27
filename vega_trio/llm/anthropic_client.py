"""A Claude model through Anthropic's SDK, which does requests, authentication and errors.

The answer is decoded from the response's bytes (`messages_stream`): a third of the cost of the SDK's own events.
Importing this module imports the SDK; `open_anthropic` does it in a thread.
"""

from __future__ import annotations

import ssl
import time
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import AsyncExitStack, aclosing, asynccontextmanager
from functools import partial
from typing import Any, Final, cast
from urllib.parse import quote

import anthropic
import attrs
import genai_prices  # noqa: F401 - here, in the thread, so that the first price does not hold up the loop
import httpx2
from anthropic import AsyncAnthropic, AsyncStream

from vega_trio._core.classify import classify, read_error, read_retry_after
from vega_trio.errors import ModelError
from vega_trio.llm.addresses import shown_url
from vega_trio.llm.messages_stream import MessageDecoder
from vega_trio.llm.messages_wire import request_body, with_caching, with_thinking
from vega_trio.llm.prices import price_of
from vega_trio.llm.reading import read_answer, unwind
from vega_trio.llm.temperature import Temperature
from vega_trio.messages import Usage
from vega_trio.protocols import ModelEvent, ModelRequest
from vega_trio.session import ErrorClass

_CONNECT_TIMEOUT_S: Final = 5.0
_TOTAL_TIMEOUT_S: Final = 600.0
_FAILURES: Final = (anthropic.AnthropicError, httpx2.HTTPError, httpx2.StreamError, httpx2.InvalidURL)


@attrs.define(eq=False)
class AnthropicModel:
    """One model and its client."""

    model: str
    base_url: str
    read_timeout_s: float
    _client: AsyncAnthropic = attrs.field(repr=False)
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
            chunks = await stack.enter_async_context(aclosing(self._chunks(response)))
            decoder = MessageDecoder(shown_url(self.base_url))
            yield await stack.enter_async_context(aclosing(read_answer(chunks, decoder)))

    def price(self, usage: Usage) -> int | None:
        return price_of("anthropic", self.model, usage)

    async def count_tokens(self, request: ModelRequest) -> int:
        """How many tokens the request comes to, by the provider's own count; it costs nothing. Raises: ModelError."""
        body = request_body(request, self.model, thinking=True)
        del body["max_tokens"]
        try:
            answer: Any = await self._client.post("/v1/messages/count_tokens", cast_to=httpx2.Response, body=body)
            return int(answer.json()["input_tokens"])
        except _FAILURES as error:
            raise self._failure(error) from error
        except (ValueError, LookupError, TypeError) as error:
            text = f"{shown_url(self.base_url)} gave no count of tokens: {error}"
            raise ModelError(text, ErrorClass.TEMPORARY) from error

    async def aclose(self) -> None:
        await self._client.close()

    async def _respond(self, request: ModelRequest) -> httpx2.Response:
        """The response, its body unread; the caller closes it. Raises: ModelError."""
        body = with_caching(with_thinking(request_body(request, self.model, thinking=True), request))
        # Who thinks takes no temperature.
        temperature = None if "thinking" in body else request.temperature
        post = partial(self._post, key=request.key)
        return await self._temperature.send(post, {**body, "stream": True}, temperature)

    async def _post(self, body: dict[str, Any], key: str) -> httpx2.Response:
        headers = {"Idempotency-Key": quote(key, safe="/=.")} if key else {}
        # Not messages.create(): it warns of older models, which pass through here, and takes no temperature.
        try:
            response: Any = await self._client.post(
                "/v1/messages",
                cast_to=httpx2.Response,
                body=body,
                options={"headers": headers},
                stream=True,
                stream_cls=AsyncStream[Any],
            )
        except _FAILURES as error:
            raise self._failure(error) from error
        return cast("httpx2.Response", response)

    async def _chunks(self, response: httpx2.Response) -> AsyncGenerator[bytes, None]:
        # An answer that is not compressed is read where it comes in: two layers of iterators less for each delta.
        body = response.stream
        plain = isinstance(body, httpx2.AsyncByteStream) and "content-encoding" not in response.headers
        chunks = aiter(cast("httpx2.AsyncByteStream", body)) if plain else response.aiter_bytes()
        try:
            async for chunk in chunks:
                yield chunk
        except _FAILURES as error:
            raise self._failure(error) from error
        finally:
            await unwind(chunks)

    def _failure(self, error: Exception) -> ModelError:
        where = shown_url(self.base_url)
        match error:
            case anthropic.APIStatusError():
                return self._refusal(error)
            case anthropic.APIConnectionError() if isinstance(error.__cause__, Exception):
                return self._failure(error.__cause__)
            case httpx2.ConnectTimeout() | httpx2.ConnectError():
                text = f"cannot reach {where}: {_reason(error)}; check the network and ANTHROPIC_BASE_URL"
                timed_out = isinstance(error, httpx2.TimeoutException)
                return ModelError(text, ErrorClass.TIMEOUT if timed_out else ErrorClass.TEMPORARY)
            case httpx2.TimeoutException() | anthropic.APITimeoutError():
                return ModelError(f"{where} was silent for {self.read_timeout_s:g} s", ErrorClass.TIMEOUT)
            case _:
                text = f"the connection to {where} broke: {_reason(error)}"
                return ModelError(text, ErrorClass.TEMPORARY)

    def _refusal(self, error: anthropic.APIStatusError) -> ModelError:
        said, status, where = read_error(error.body), error.status_code, shown_url(self.base_url)
        kind = classify(status, said)
        answer = f"{status} {said.type}".strip() + (f": {said.message}" if said.message else "")
        if kind is ErrorClass.AUTHENTICATION:
            text = f"{where} refused the API key ({answer}); check ANTHROPIC_API_KEY, in the shell or in ~/.vega/env"
        elif status == 404 and said.type == "not_found_error":
            text = f"unknown model {self.model!r} ({answer}); choose another with VEGA_MODEL or --model"
        else:
            text = f"{where} answered {answer}"
        wait = read_retry_after(error.response.headers, time.time())
        return ModelError(text, kind, status=status, retry_after_s=wait)


def _reason(error: BaseException) -> str:
    return str(error).strip() or type(error).__name__


def connect(model: str, *, key: str, base_url: str, read_timeout_s: float) -> AnthropicModel:
    """A model with its client, which the caller closes. Retries are the engine's: the SDK makes none.

    Raises: ImportError or ValueError for a proxy of the environment that cannot be used.
    """
    # Asked first of a bare client (with no certificates to load), since the SDK's leaves a wreck behind that
    # complains on stderr when it is collected.
    httpx2.AsyncClient(verify=ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT))
    client = AsyncAnthropic(
        api_key=key,
        base_url=base_url,
        max_retries=0,
        timeout=httpx2.Timeout(_TOTAL_TIMEOUT_S, connect=_CONNECT_TIMEOUT_S, read=read_timeout_s),
        open_telemetry=False,
    )
    return AnthropicModel(model, base_url, read_timeout_s, client)
