"""What a call costs, from the price list that genai-prices carries. Nothing is fetched.

The list takes some 0.2 s to load; an adapter loads it in the thread in which it loads its library.
"""

from __future__ import annotations

from decimal import ROUND_CEILING, Decimal
from functools import lru_cache
from typing import Any

from vega_trio.messages import Usage

_MICRO = Decimal(1_000_000)


def price_of(provider: str, model: str, usage: Usage, *, url: str = "") -> int | None:
    """Micro-dollars, a fraction counting as one so that spending is never understated; None: not in the list.

    The provider whose address `url` is goes before `provider`.
    """
    where = _found(provider, model, url)
    if where is None:
        return None
    import genai_prices

    # Its input tokens are all of them; ours leave out what the cache served or stored.
    counted = genai_prices.Usage(
        input_tokens=usage.input_tokens + usage.cache_read_tokens + usage.cache_write_tokens,
        cache_read_tokens=usage.cache_read_tokens,
        cache_write_tokens=usage.cache_write_tokens,
        output_tokens=usage.output_tokens,
    )
    found = genai_prices.calc_price(counted, model_ref=model, **where)
    return int((found.total_price * _MICRO).to_integral_value(ROUND_CEILING))


@lru_cache(maxsize=1024)
def _found(provider: str, model: str, url: str) -> dict[str, Any] | None:
    """Where the list has the model. It is searched once: a model that it does not have takes longest to look for."""
    import genai_prices

    wheres: list[dict[str, Any]] = [{"provider_api_url": url}] if url else []
    for where in [*wheres, {"provider_id": provider}]:
        try:
            genai_prices.calc_price(genai_prices.Usage(), model_ref=model, **where)
        except LookupError:
            continue
        return where
    return None
