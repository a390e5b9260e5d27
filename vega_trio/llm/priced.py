"""A model whose price the program knows better than the list."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager

import attrs

from vega_trio.messages import Usage
from vega_trio.price import Price
from vega_trio.protocols import Model, ModelEvent, ModelRequest


@attrs.frozen(eq=False)
class PricedModel:
    """The model, at this price."""

    model: Model
    cost: Price

    @property
    def name(self) -> str:
        return self.model.name

    def stream(self, request: ModelRequest) -> AbstractAsyncContextManager[AsyncIterator[ModelEvent]]:
        return self.model.stream(request)

    def price(self, usage: Usage) -> int | None:
        return self.cost.of(usage)

    async def aclose(self) -> None:
        close = getattr(self.model, "aclose", None)
        if close is not None:
            await close()
