from hypothesis import given, settings
from hypothesis import strategies as st

from vega_trio.llm.names import DEFAULT_MODEL
from vega_trio.llm.prices import price_of
from vega_trio.messages import Usage
from vega_trio.testing import block_network

COUNT = st.integers(0, 100_000)


def test_the_default_model_has_a_price_without_any_network() -> None:
    with block_network():
        assert price_of("anthropic", DEFAULT_MODEL, Usage(1000, 1000)) == 12_000


def test_cache_reads_are_cheaper_and_writes_dearer_than_fresh_input() -> None:
    model = "claude-sonnet-4-20250514"
    fresh, read, written = Usage(1000), Usage(cache_read_tokens=1000), Usage(cache_write_tokens=1000)
    assert [price_of("anthropic", model, usage) for usage in (fresh, read, written)] == [3000, 300, 3750]


def test_an_unknown_model_has_no_price_which_is_not_free() -> None:
    assert price_of("anthropic", "claude-of-tomorrow", Usage(1, 1)) is None
    assert price_of("nobody", "x", Usage(1, 1)) is None


def test_a_fraction_of_a_micro_dollar_counts_as_one() -> None:
    assert price_of("anthropic", "claude-sonnet-4-20250514", Usage(cache_read_tokens=1)) == 1


@settings(max_examples=30)
@given(st.builds(Usage, COUNT, COUNT, COUNT, COUNT))
def test_any_usage_has_a_price_that_grows_with_it(usage: Usage) -> None:
    price, more = (price_of("anthropic", DEFAULT_MODEL, each) for each in (usage, usage + Usage(1, 1, 1, 1)))
    assert price is not None
    assert more is not None
    assert 0 <= price < more
