"""Whether a log record would reach anybody."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
import trio

from vega_trio import ChildSpec, SupervisorSpec
from vega_trio.runtime import Orchestrator, Process
from vega_trio.runtime.logs import reaches_anybody

FAMILY = ("vega_tests", "vega_tests.library", "vega_tests.library.part")


@contextmanager
def loggers() -> Iterator[list[logging.Logger]]:
    """A program's, a library's that has nothing but what keeps it silent, and that of a part of the library.

    Within the test: pytest listens at the root, and at those that hand nothing up when a test begins.
    """
    found = [logging.getLogger(name) for name in FAMILY]
    found[0].propagate = False
    found[1].addHandler(logging.NullHandler())
    try:
        yield found
    finally:
        for each in found:
            each.handlers.clear()
            each.propagate = True
            each.setLevel(logging.NOTSET)


def test_a_library_that_nobody_listens_to_reaches_nobody() -> None:
    with loggers() as (_, _, part):
        assert not reaches_anybody(part, logging.WARNING)


@pytest.mark.parametrize("where", range(3))
def test_a_handler_on_the_way_up_is_reached(where: int) -> None:
    with loggers() as family:
        family[where].addHandler(logging.StreamHandler())
        assert reaches_anybody(family[2], logging.WARNING)
        family[2].setLevel(logging.ERROR)
        assert not reaches_anybody(family[2], logging.WARNING)


def test_what_is_not_handed_up_reaches_nobody_above() -> None:
    with loggers() as (program, library, part):
        program.addHandler(logging.StreamHandler())
        library.propagate = False
        assert not reaches_anybody(part, logging.WARNING)


async def test_who_listens_is_told_of_a_restart_and_why(orch: Orchestrator, caplog: pytest.LogCaptureFixture) -> None:
    async def body(me: Process) -> None:
        await trio.lowlevel.checkpoint()
        if me.incarnation == 1:
            raise ValueError("boom")
        await trio.sleep_forever()

    await orch.supervise(SupervisorSpec(children=[ChildSpec("c", body)]))
    await trio.testing.wait_all_tasks_blocked()
    told = [each.getMessage() for each in caplog.records if each.name == "vega_trio.kernel"]
    assert len(told) == 1
    assert told[0].endswith("is restarted in 0 s: crashed: ValueError: boom")
