"""Models by name: one of each in a program, opened at its first call and closed at the end."""

from __future__ import annotations

import os
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from functools import partial
from importlib.util import find_spec
from pathlib import Path
from types import TracebackType

import attrs
import trio

from vega_trio.errors import MissingExtra, VegaError
from vega_trio.llm.calls import READ_TIMEOUT_S
from vega_trio.llm.names import ModelName, parse_model_name, registered
from vega_trio.llm.priced import PricedModel
from vega_trio.llm.third_party import make_model
from vega_trio.messages import Usage
from vega_trio.price import Price
from vega_trio.protocols import Model, ModelEvent, ModelRequest

Opener = Callable[[], AbstractAsyncContextManager[Model]]
_CLOSING_S = 5.0


@attrs.define(eq=False)
class Models:
    """`async with Models(env=..., home=...) as models:`, then `models.get("anthropic:claude-...")`.

    `env` (the environment by default) holds keys and addresses; `home` is where local models lie;
    `read_timeout_s` bounds a server's silence. `prices` go before the list's, by models' names. The same name gives the
    same model, however it is written. Raises: ConfigError for a name of `prices` that names no model.
    """

    env: Mapping[str, str] = attrs.field(factory=lambda: os.environ, kw_only=True, repr=False)
    home: Path = attrs.field(factory=lambda: Path.home() / ".vega", kw_only=True)
    read_timeout_s: float = attrs.field(default=READ_TIMEOUT_S, kw_only=True)
    prices: Mapping[str, Price] = attrs.field(factory=dict, kw_only=True)
    _prices: dict[ModelName, Price] = attrs.field(init=False, repr=False)
    _models: dict[ModelName, Model] = attrs.field(factory=dict, init=False, repr=False)
    _nursery: trio.Nursery | None = attrs.field(default=None, init=False, repr=False)
    _running: AbstractAsyncContextManager[None] | None = attrs.field(default=None, init=False, repr=False)

    @_prices.default
    def _by_name(self) -> dict[ModelName, Price]:
        return {parse_model_name(name): price for name, price in self.prices.items()}

    async def __aenter__(self) -> Models:
        self._running = self._holding()
        await self._running.__aenter__()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        assert self._running is not None
        # The block's own error passes by the nursery, which would wrap it in a group.
        await self._running.__aexit__(None, None, None)

    def get(self, name: str) -> Model:
        """The model that a string such as `anthropic:claude-...`, `demo` or `local` names. Opens and imports nothing.

        Raises: ConfigError; MissingExtra when its library is not installed.
        """
        parsed = parse_model_name(name)
        if parsed not in self._models:
            made, price = self._make(parsed), self._prices.get(parsed)
            self._models[parsed] = made if price is None else PricedModel(made, price)
        return self._models[parsed]

    def _make(self, name: ModelName) -> Model:
        match name.provider:
            case "demo":
                from vega_trio.llm.demo import DemoModel

                return DemoModel()
            case "recorded":
                from vega_trio.llm.recorded import RecordedModel

                return RecordedModel(Path(name.model))
            case "anthropic":
                _require("anthropic", "anthropic", str(name))
                price = partial(_price, "anthropic", name.model, "")
                return LazyModel(str(name), price, lambda: self._anthropic(name.model), self._owner())
            case "local":
                _require("xllamacpp", "local", str(name))
                _require("httpx", "local", str(name))
                return LazyModel(str(name), lambda _: 0, lambda: self._local(name.model), self._owner())
            case "openai":
                _require("httpx", "http", str(name))
                price = partial(_price, "openai", name.model, self.env.get("OPENAI_BASE_URL", "").strip())
                return LazyModel(str(name), price, lambda: self._openai(name.model), self._owner())
            case other:
                self._owner()
                return make_model(registered()[other], name, self.env)

    def _owner(self) -> trio.Nursery:
        if self._nursery is None:
            raise RuntimeError("Models is not open: use `async with Models() as models`")
        return self._nursery

    def _anthropic(self, model: str) -> AbstractAsyncContextManager[Model]:
        from vega_trio.llm.anthropic import open_anthropic

        return open_anthropic(model, env=self.env, read_timeout_s=self.read_timeout_s)

    def _openai(self, model: str) -> AbstractAsyncContextManager[Model]:
        from vega_trio.llm.openai import open_openai

        return open_openai(model, env=self.env, read_timeout_s=self.read_timeout_s)

    def _local(self, path: str) -> AbstractAsyncContextManager[Model]:
        from vega_trio.llm.local import open_local

        return open_local(path, home=self.home, read_timeout_s=self.read_timeout_s)

    @asynccontextmanager
    async def _holding(self) -> AsyncIterator[None]:
        async with trio.open_nursery() as self._nursery:
            yield
            for model in self._models.values():
                close = getattr(model, "aclose", None)  # LazyModels close what they opened themselves
                if close is not None:
                    with trio.move_on_after(_CLOSING_S, shield=True):
                        await close()
            self._nursery.cancel_scope.cancel()


@attrs.define(eq=False)
class LazyModel:
    """A model that is opened at its first call, by a task of its owner's that holds it until the end.

    Whoever calls first may be cancelled meanwhile: the others, and later ones, still get the model. When opening
    fails, all who wait are told, and the next call tries again.
    """

    name: str
    _price: Callable[[Usage], int | None] = attrs.field(repr=False)
    _opener: Opener = attrs.field(repr=False)
    _nursery: trio.Nursery = attrs.field(repr=False)
    _attempt: _Attempt | None = attrs.field(default=None, init=False, repr=False)

    @asynccontextmanager
    async def stream(self, request: ModelRequest) -> AsyncIterator[AsyncIterator[ModelEvent]]:
        model = await self._open()
        async with model.stream(request) as events:
            yield events

    def price(self, usage: Usage) -> int | None:
        return self._price(usage)

    async def _open(self) -> Model:
        if self._attempt is None or self._attempt.error is not None:
            self._attempt = _Attempt()
            self._nursery.start_soon(self._hold, self._attempt)
        attempt = self._attempt
        if not attempt.over.is_set():  # else no need to let others run
            await attempt.over.wait()
        if attempt.error is not None:
            raise attempt.error
        assert attempt.model is not None
        return attempt.model

    async def _hold(self, attempt: _Attempt) -> None:
        try:
            async with self._opener() as attempt.model:
                attempt.over.set()
                await trio.sleep_forever()
        except VegaError as error:
            attempt.error = error
            attempt.over.set()


@attrs.define(eq=False)
class _Attempt:
    """One opening: `over` is set when there is a model or an error."""

    model: Model | None = None
    error: Exception | None = None
    over: trio.Event = attrs.field(factory=trio.Event)


def _require(module: str, extra: str, model: str) -> None:
    if find_spec(module) is None:
        raise MissingExtra(extra, f"the model {model!r}")


def _price(provider: str, model: str, url: str, usage: Usage) -> int | None:
    """Before a model is opened, too: its library is not loaded for it, and the list not before it is asked."""
    from vega_trio.llm.prices import price_of

    return price_of(provider, model, usage, url=url)
