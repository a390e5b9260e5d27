"""What every test shares: property tests that find the same thing each time, on any machine."""

from __future__ import annotations

import gc
import os
from collections.abc import Generator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings
from skips import refuse_skip

# Shared machines are slow at times, which says nothing about the code. `VEGA_FUZZ=1` explores instead of repeating,
# but not where `CI` is set: a change is not to be held up by what it did not bring.
settings.register_profile(
    "vega",
    derandomize=not os.environ.get("VEGA_FUZZ") or bool(os.environ.get("CI")),
    deadline=None,
    print_blob=True,
    suppress_health_check=[HealthCheck.too_slow],
)
settings.load_profile("vega")


@pytest.fixture(scope="session")
def model_home(pytestconfig: pytest.Config) -> Path:
    """A home with the small local model, fetched once for all later runs."""
    from vega_trio.llm.pull import pull

    assert pytestconfig.cache is not None
    home = Path(pytestconfig.cache.mkdir("vega-home"))
    pull("smollm2", home)
    return home


LONGEST = ("test_e2e_looks", "test_e2e_torture", "test_e2e_crowd", "test_simulation_scale", "test_e2e_story")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Those that take a minute each begin at once, so that the workers do not wait for the last of them."""
    items.sort(key=lambda item: item.path.stem not in LONGEST)


@pytest.hookimpl(wrapper=True)
def pytest_collection() -> Generator[None, object, object]:
    """What is loaded stays, so nobody looks through it for garbage, over and over: that is half of the loading."""
    gc.disable()
    try:
        return (yield)
    finally:
        gc.enable()
        gc.freeze()


@pytest.hookimpl(wrapper=True)
def pytest_make_collect_report() -> Generator[None, pytest.CollectReport, pytest.CollectReport]:
    """Nor is a whole module."""
    report = yield
    if os.environ.get("CI"):
        refuse_skip(report)
    return report


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport() -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """In CI nothing is skipped."""
    report = yield
    if os.environ.get("CI"):
        refuse_skip(report)
    return report
