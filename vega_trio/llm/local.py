"""The `local` model: llama.cpp in this process (extra `local`), on loopback, over the Messages API.

Measured with the 135M model on two shared cores: open in 0.4 s, of which Python stands still (the library holds
the interpreter's lock while it loads); 310 MiB while open, 30 to 60 tokens a second; closed in 0.1 s also while it
speaks, and what it keeps then (60 MiB, one idle thread) does not grow with the next opening.
"""

from __future__ import annotations

import secrets
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import attrs
import trio

from vega_trio.errors import MissingExtra, ModelError
from vega_trio.llm.calls import CONNECT_TIMEOUT_S, READ_TIMEOUT_S, HttpCaller
from vega_trio.llm.documents import in_words
from vega_trio.llm.lanes import ALL, Lanes
from vega_trio.llm.messages_stream import MessageDecoder
from vega_trio.llm.messages_wire import request_body
from vega_trio.llm.pull import installed, models_dir
from vega_trio.messages import Usage
from vega_trio.protocols import ModelEvent, ModelRequest
from vega_trio.session import ErrorClass

if TYPE_CHECKING:
    from types import ModuleType

    import httpx

_CONTEXT_TOKENS: Final = 8192
_PARALLEL: Final = 2
SOURCE: Final = "the local model"


@asynccontextmanager
async def open_local(
    path: str = "", *, home: Path, read_timeout_s: float = READ_TIMEOUT_S
) -> AsyncIterator[LocalModel]:
    """Runs the GGUF file at `path`, or the first one in the home, until the block is left.

    Raises: ModelError when there is no such file or it cannot be loaded; MissingExtra.
    """
    file = _model_file(path, home)
    async with _serving(file) as (url, key):
        httpx = await trio.to_thread.run_sync(_load_httpx)
        lanes = Lanes(partial(open_client, httpx, url, key, read_timeout_s), ALL)
        try:
            caller = HttpCaller(SOURCE, read_timeout_s, lanes, httpx)
            yield LocalModel(f"local:{path}" if path else "local", caller)
        finally:
            await lanes.aclose()


def open_client(library: ModuleType, url: str, key: str, read_timeout_s: float) -> httpx.AsyncClient:
    """httpx's client (`library` is the module) for a llama.cpp server, with a connection for each call.

    The server hangs up after an answer when others wait for its threads, and no header says so: under load, a call
    over a kept connection met its end now and then.
    """
    # Two turns run at a time; who comes third waits for a place, not for the model's first word.
    client: httpx.AsyncClient = library.AsyncClient(
        base_url=url,
        headers={"authorization": f"Bearer {key}", "connection": "close"},
        timeout=library.Timeout(read_timeout_s, connect=CONNECT_TIMEOUT_S, pool=None),
        limits=library.Limits(max_connections=_PARALLEL, max_keepalive_connections=0),
        trust_env=False,
    )
    return client


@attrs.define(eq=False)
class LocalModel:
    """The model in this process. It costs nothing."""

    name: str
    _caller: HttpCaller = attrs.field(repr=False)

    @asynccontextmanager
    async def stream(self, request: ModelRequest) -> AsyncIterator[AsyncIterator[ModelEvent]]:
        body = {**request_body(in_words(request), self.name), "stream": True}
        if request.temperature is not None:
            body["temperature"] = request.temperature
        response = await self._caller.open_response("/v1/messages", body, request.key)
        async with response.events(MessageDecoder(SOURCE)) as events:
            yield events

    def price(self, usage: Usage) -> int | None:
        return 0


def _model_file(path: str, home: Path) -> Path:
    if path:
        file = Path(path).expanduser()
        if not file.is_file():
            raise _unusable(f"model 'local:{path}': there is no file {str(file.absolute())!r}")
        return file.absolute()
    found = installed(home)
    if not found:
        raise _unusable(
            f"model 'local': no model is installed in {str(models_dir(home))!r}; run `vega models pull smollm2`, "
            "or name a file: 'local:/path/to/model.gguf'"
        )
    return found[0].path


# -- llama.cpp


@asynccontextmanager
async def _serving(file: Path) -> AsyncIterator[tuple[str, str]]:
    """The server's address and the key it asks for, since other users of the machine can reach loopback too."""
    key = secrets.token_urlsafe(32)
    held = await trio.to_thread.run_sync(_start, file, key)
    try:
        yield held[0].listening_address, key
    finally:
        # The library stops a server when the last reference to it goes, and waits for its threads.
        with trio.CancelScope(shield=True):
            await trio.to_thread.run_sync(held.clear)


def _start(file: Path, key: str) -> list[Any]:
    """A list that holds the only reference to a running server."""
    try:
        from xllamacpp import CommonParams, Server
    except ImportError as error:
        raise MissingExtra("local", "a local model") from error
    params = CommonParams()
    params.model.path = str(file)
    params.n_ctx, params.n_parallel = _CONTEXT_TOKENS, _PARALLEL
    # A second thread slows a busy two-core machine down by an order of magnitude.
    params.cpuparams.n_threads = params.cpuparams_batch.n_threads = 1
    params.n_threads_http = _PARALLEL + 1
    params.cache_ram_mib = 0  # by default it keeps up to 8 GiB of old prompts
    params.use_jinja = True
    params.hostnames, params.port = ["127.0.0.1"], 0
    params.api_keys = [key]
    params.ui = params.endpoint_slots = params.endpoint_props = False
    params.verbosity = -1  # else it writes to our stderr
    try:
        return [Server(params)]
    except RuntimeError as error:
        raise _unusable(f"llama.cpp cannot load {str(file)!r}; is it a GGUF model, and is there memory?") from error


def _unusable(text: str) -> ModelError:
    return ModelError(text, ErrorClass.INVALID_REQUEST)


def _load_httpx() -> ModuleType:
    try:
        import httpx
    except ImportError as error:
        raise MissingExtra("local", "a local model") from error
    return httpx
