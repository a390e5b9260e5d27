"""A limit for code that runs in the test's own process."""

from __future__ import annotations

import signal
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType


@contextmanager
def deadline(seconds: float) -> Iterator[None]:
    """Interrupts the block when it takes longer, as Ctrl-C does: Trio passes that on and leaves in order.

    For the main thread only. Raises: TimeoutError.
    """
    passed = False

    def ring(_number: int, _frame: FrameType | None) -> None:
        nonlocal passed
        passed = True
        signal.raise_signal(signal.SIGINT)

    handlers = {signal.SIGALRM: ring, signal.SIGINT: signal.default_int_handler}
    before = {number: signal.signal(number, handler) for number, handler in handlers.items()}
    signal.setitimer(signal.ITIMER_REAL, seconds)
    try:
        yield
    except BaseException as interrupted:
        if passed:
            raise TimeoutError(f"it was not done after {seconds:g} s") from interrupted
        raise
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        for number, handler in before.items():
            signal.signal(number, handler)
