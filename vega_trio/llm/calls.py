"""Model calls over httpx: a POST whose answer is a stream of bytes, with every failure told apart."""

from __future__ import annotations

import time
from collections.abc import AsyncGenerator, Callable, Mapping
from typing import TYPE_CHECKING, Any

import attrs

from vega_trio._core.classify import ProviderError, classify, read_error, read_retry_after
from vega_trio.errors import ModelError
from vega_trio.llm.reading import unwind
from vega_trio.session import ErrorClass

if TYPE_CHECKING:
    from types import ModuleType

    import httpx


@attrs.define(eq=False)
class HttpCaller:
    """Posts to one server. `source` names it in errors; `refused` says more than that about some refusals, or nothing.

    The caller of `open_response` closes what it gives.
    """

    source: str
    read_timeout_s: float
    client: httpx.AsyncClient = attrs.field(repr=False)
    library: ModuleType = attrs.field(repr=False)
    refused: Callable[[int, ProviderError], str] = attrs.field(default=lambda status, said: "", repr=False)

    async def open_response(self, path: str, body: Mapping[str, Any]) -> httpx.Response:
        """The response of status 200, its body unread. Raises: ModelError."""
        try:
            response = await self.client.send(self.client.build_request("POST", path, json=body), stream=True)
            if response.status_code != 200:
                await response.aread()
        except (self.library.HTTPError, self.library.InvalidURL) as error:
            raise self._failure(error) from error
        if response.status_code != 200:
            raise self._refusal(response)
        return response

    async def chunks(self, response: httpx.Response) -> AsyncGenerator[bytes, None]:
        """The body as it comes. Raises: ModelError."""
        chunks = response.aiter_bytes()
        try:
            async for chunk in chunks:
                yield chunk
        except (self.library.HTTPError, self.library.StreamError) as error:
            raise self._failure(error) from error
        finally:
            await unwind(chunks)

    def _failure(self, error: Exception) -> ModelError:
        reason = str(error).strip() or type(error).__name__
        if isinstance(error, self.library.ConnectError | self.library.ConnectTimeout):
            timed_out = isinstance(error, self.library.TimeoutException)
            text = f"cannot reach {self.source}: {reason}; check the network and the address"
            return ModelError(text, ErrorClass.TIMEOUT if timed_out else ErrorClass.TEMPORARY)
        if isinstance(error, self.library.TimeoutException):
            return ModelError(f"{self.source} was silent for {self.read_timeout_s:g} s", ErrorClass.TIMEOUT)
        return ModelError(f"the connection to {self.source} broke: {reason}", ErrorClass.TEMPORARY)

    def _refusal(self, response: httpx.Response) -> ModelError:
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
