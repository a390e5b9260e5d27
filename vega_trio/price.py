"""What a model's tokens cost where a program, or a document, says so itself."""

from __future__ import annotations

from decimal import ROUND_CEILING, Decimal
from typing import Any

import attrs

from vega_trio.messages import Usage


def _exact(value: Any) -> Any:
    return Decimal(str(value)) if isinstance(value, int | float) and not isinstance(value, bool) else value


def _is_price(price: Price, field: attrs.Attribute[Any], value: Any) -> None:
    if value is None and field.default is None:
        return
    if not isinstance(value, Decimal) or not value.is_finite() or value < 0:
        raise ValueError(f"Price.{field.name} must be dollars for a million tokens, not {value!r}")


@attrs.frozen
class Price:
    """Dollars for a million tokens. What a cache serves or stores costs as `input`, unless it is said.

    Raises: ValueError for what is no amount.
    """

    input: Decimal = attrs.field(converter=_exact, validator=_is_price)
    output: Decimal = attrs.field(converter=_exact, validator=_is_price)
    cache_read: Decimal | None = attrs.field(default=None, converter=_exact, validator=_is_price)
    cache_write: Decimal | None = attrs.field(default=None, converter=_exact, validator=_is_price)

    def of(self, usage: Usage) -> int:
        """Micro-dollars, a fraction counting as one."""
        read = self.input if self.cache_read is None else self.cache_read
        write = self.input if self.cache_write is None else self.cache_write
        cost = (
            usage.input_tokens * self.input
            + usage.output_tokens * self.output
            + usage.cache_read_tokens * read
            + usage.cache_write_tokens * write
        )
        return int(cost.to_integral_value(ROUND_CEILING))
