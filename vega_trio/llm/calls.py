"""Model calls over HTTP: a POST whose answer is a stream of bytes, with every failure told apart."""

from __future__ import annotations

import time
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable, Mapping
from contextlib import AsyncExitStack, aclosing, asynccontextmanager
from typing import TYPE_CHECKING, Any, Final

import attrs

from vega_trio._core.classify import ProviderError, classify, read_error, read_retry_after
from vega_trio._core.codec import encode_json
from vega_trio.errors import ModelError
from vega_trio.headers import IDEMPOTENCY_KEY, idempotency_value
from vega_trio.llm.lanes import Lane, Lanes
from vega_trio.llm.reading import Decoder, read_answer, unwind
from vega_trio.protocols import ModelEvent
from vega_trio.session import ErrorClass

if TYPE_CHECKING:
    from types import ModuleType

    import httpx


READ_TIMEOUT_S: Final = 60.0
"""How long a server may stay silent in the middle of an answer."""

CONNECT_TIMEOUT_S: Final = 5.0
TOTAL_TIMEOUT_S: Final = 600.0
"""What else of a request may take so long: the engine ends a call before."""

Post = Callable[[Any, str, bytes, Mapping[str, str]], Awaitable[Any]]  # of a response of the library


@attrs.define(eq=False)
class Poster:
    """Posts with clients of httpx. Address and headers of a path are made once: that costs as much as sending."""

    _made: dict[str, httpx.Request] = attrs.field(factory=dict, init=False, repr=False)

    async def __call__(
        self, client: httpx.AsyncClient, path: str, data: bytes, headers: Mapping[str, str]
    ) -> httpx.Response:
        if path not in self._made:
            self._made[path] = client.build_request("POST", path, headers={"Content-Type": "application/json"})
        return await client.send(request_like(self._made[path], data, headers), stream=True)


def request_like(made: httpx.Request, data: bytes, headers: Mapping[str, str]) -> httpx.Request:
    """A request like another of the same library, with its own body and what else `headers` say."""
    own = {b"content-length", *(name.lower().encode() for name in headers)}
    kept = [each for each in made.headers.raw if each[0].lower() not in own]
    named = [(name.encode(), value.encode()) for name, value in headers.items()]
    return type(made)("POST", made.url, headers=[*kept, *named], content=data)


@attrs.define(eq=False)
class HttpCaller:
    """Posts to one server, with httpx or httpx2, which is `library`.

    `source` names the server in errors, and `setting` what its address is set with. `refused` says more about some
    refusals, given their status and what was said, or nothing. `post` is how a client of the lanes posts JSON to a path
    under a key, raising what the library does, whatever the status of the response.
    """

    source: str
    read_timeout_s: float
    lanes: Lanes = attrs.field(repr=False)
    library: ModuleType = attrs.field(repr=False)
    refused: Callable[[int, ProviderError], str] = attrs.field(default=lambda status, said: "", repr=False)
    setting: str = "the address"
    post: Post = attrs.field(factory=Poster, repr=False)

    async def open_response(self, path: str, body: Mapping[str, Any], key: str = "") -> Exchange:
        """The response of status 200, its body unread; the caller closes it. `key` goes as `Idempotency-Key`.

        Raises: ModelError.
        """
        data = self._encoded(body)
        exchange = Exchange(self, await self.lanes.enter())
        opened = False
        try:
            await exchange.send(path, data, {IDEMPOTENCY_KEY: idempotency_value(key)} if key else {})
            opened = True
        finally:
            if not opened:
                await exchange.aclose()
        return exchange

    def _encoded(self, body: Mapping[str, Any]) -> bytes:
        try:
            return encode_json(body)
        except ValueError as error:
            raise ModelError(f"the request to {self.source} {error}", ErrorClass.INVALID_REQUEST) from error

    def failure(self, error: Exception) -> ModelError:
        """What a failure of the transport is."""
        reason = str(error).strip() or type(error).__name__
        if isinstance(error, self.library.ConnectError | self.library.ConnectTimeout):
            timed_out = isinstance(error, self.library.TimeoutException)
            text = f"cannot reach {self.source}: {reason}; check the network and {self.setting}"
            return ModelError(text, ErrorClass.TIMEOUT if timed_out else ErrorClass.TEMPORARY)
        if isinstance(error, self.library.TimeoutException):
            return ModelError(f"{self.source} was silent for {self.read_timeout_s:g} s", ErrorClass.TIMEOUT)
        return ModelError(f"the connection to {self.source} broke: {reason}", ErrorClass.TEMPORARY)

    def refusal(self, response: httpx.Response) -> ModelError:
        """What a status other than 200 is; the body has been read."""
        try:
            body = response.json()
        except ValueError:
            body = response.text
        said, status = read_error(body), response.status_code
        answer = f"{status} {said.type or said.code}".strip() + (f": {said.message}" if said.message else "")
        text = self.refused(status, said)
        wait = read_retry_after(response.headers, time.time())
        text = f"{text} ({answer})" if text else f"{self.source} answered {answer}"
        return ModelError(text, classify(status, said), status=status, retry_after_s=wait)


@attrs.define(eq=False)
class Exchange:
    """One request and its response, which is there once `send` has returned."""

    caller: HttpCaller
    lane: Lane
    _response: httpx.Response | None = attrs.field(default=None, init=False)

    async def send(self, path: str, data: bytes, headers: Mapping[str, str]) -> None:
        """Raises: ModelError, also for a status other than 200."""
        library = self.caller.library
        try:
            self._response = response = await self.caller.post(self.lane.client, path, data, headers)
            if response.status_code != 200:
                await response.aread()
        except (library.HTTPError, library.InvalidURL, library.StreamError) as error:
            raise self.caller.failure(error) from error
        if response.status_code != 200:
            raise self.caller.refusal(response)

    async def read(self) -> bytes:
        """The whole body. Raises: ModelError."""
        assert self._response is not None
        try:
            return await self._response.aread()
        except (self.caller.library.HTTPError, self.caller.library.StreamError) as error:
            raise self.caller.failure(error) from error

    @asynccontextmanager
    async def events(self, decoder: Decoder) -> AsyncIterator[AsyncIterator[ModelEvent]]:
        """The events of the answer; the exchange is closed with the block. Raises: ModelError, in the iteration too."""
        async with AsyncExitStack() as stack:
            stack.push_async_callback(self.aclose)
            chunks = await stack.enter_async_context(aclosing(self.chunks()))
            yield await stack.enter_async_context(aclosing(read_answer(chunks, decoder)))

    async def chunks(self) -> AsyncGenerator[bytes, None]:
        """The body as it comes. Raises: ModelError."""
        response, library = self._response, self.caller.library
        assert response is not None
        # An answer that is not compressed is read where it comes in: two layers of iterators less for each delta.
        plain = "content-encoding" not in response.headers
        chunks: Any = aiter(response.stream) if plain else response.aiter_bytes()  # type: ignore[arg-type]
        try:
            async for chunk in chunks:
                yield chunk
        except (library.HTTPError, library.StreamError) as error:
            raise self.caller.failure(error) from error
        finally:
            await unwind(chunks)

    async def aclose(self) -> None:
        """Once, whatever came of it."""
        try:
            if self._response is not None:
                await self._response.aclose()
        finally:
            self.lane.leave()
