"""The setting that some models refuse: they are called without it, and it is said once."""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable, Mapping
from typing import Any, TypeVar

import attrs

from vega_trio.errors import ModelError

_log = logging.getLogger(__name__)
Response = TypeVar("Response")


@attrs.define(eq=False)
class Temperature:
    """What is known of one model: `taken` turns false when it has refused the setting."""

    model: str
    taken: bool = attrs.field(default=True, init=False)

    async def send(
        self,
        post: Callable[[dict[str, Any]], Awaitable[Response]],
        body: Mapping[str, Any],
        temperature: float | None,
    ) -> Response:
        """Posts the body with the temperature where there is one and the model takes it. Raises: ModelError."""
        if temperature is None or not self.taken:
            return await post(dict(body))
        try:
            return await post({**body, "temperature": temperature})
        except ModelError as error:
            if not _refuses(error, temperature):
                raise
        response = await post(dict(body))
        if self.taken:  # several calls may have found out at once
            self.taken = False
            _log.warning("%s takes no temperature: %g is left out from now on", self.model, temperature)
        return response


def _refuses(error: ModelError, temperature: float) -> bool:
    # No provider has a type for this; what it says names the field. A value out of its range stays an error.
    return error.status == 400 and temperature <= 1 and "temperature" in str(error)
