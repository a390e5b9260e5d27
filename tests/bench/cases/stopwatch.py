"""CPU and wall-clock time of a run. Of the standard library alone: the environments of others have no more."""

from __future__ import annotations

import gc
import time
from typing import NamedTuple


class Cost(NamedTuple):
    """For all turns together, in seconds."""

    cpu_s: float
    wall_s: float


class Stopwatch:
    """Begins when what is measured begins, after warming up."""

    def __init__(self) -> None:
        self._cpu = self._wall = 0.0

    def start(self) -> None:
        gc.collect()
        self._cpu, self._wall = time.process_time(), time.perf_counter()

    def stop(self) -> Cost:
        return Cost(time.process_time() - self._cpu, time.perf_counter() - self._wall)
