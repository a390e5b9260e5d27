"""Telemetry that tells nobody: what the engine has where nothing is observed."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from typing import Any

import attrs

from vega_trio.messages import Usage
from vega_trio.protocols import Figures


@attrs.frozen
class NoSpan:
    """Something that nobody observes."""

    link: object = None

    def tell(self, **attributes: Any) -> None:
        """Nobody listens."""

    def fail(self, error_type: str, message: str = "") -> None:
        """Nobody listens."""


@attrs.frozen
class NoTelemetry:
    """A `protocols.Telemetry` that tells nobody."""

    _nothing: AbstractContextManager[NoSpan] = attrs.field(init=False, factory=lambda: nullcontext(NoSpan()))

    def watch(self, _: Callable[[], Figures]) -> AbstractContextManager[None]:
        return nullcontext()

    def turn(self, **_: Any) -> AbstractContextManager[NoSpan]:
        return self._nothing

    def workflow(self, *_: Any) -> AbstractContextManager[NoSpan]:
        return self._nothing

    def chat(self, *_: Any) -> AbstractContextManager[NoSpan]:
        return self._nothing

    def tokens(self, model: str, usage: Usage) -> None:
        """Nobody counts."""

    def tool(self, *_: Any) -> AbstractContextManager[NoSpan]:
        return self._nothing
