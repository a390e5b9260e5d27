"""Rounds in which all contenders take turns. Who fails is out, and why is kept; the others go on."""

from __future__ import annotations

import statistics
import subprocess
from collections.abc import Callable, Mapping
from typing import Generic, TypeVar

import attrs

T = TypeVar("T")


@attrs.frozen
class Rounds(Generic[T]):
    """What each contender came to in each round, and why those without figures failed."""

    results: Mapping[str, list[T]]
    failures: dict[str, str]

    def median(self, who: str, figure: Callable[[T], float]) -> float | None:
        """Of a figure of its results; None when it failed."""
        return statistics.median(map(figure, self.results[who])) if who in self.results else None


def by_turns(contenders: Mapping[str, Callable[[], T]], rounds: int, *, warm_ups: int = 0) -> Rounds[T]:
    """Each runs once a round, after `warm_ups` rounds that do not count."""
    results: dict[str, list[T]] = {name: [] for name in contenders}
    failures: dict[str, str] = {}
    for number in range(warm_ups + rounds):
        for name, run in contenders.items():
            if name in failures:
                continue
            try:
                result = run()
            except Exception as error:  # whatever it was: one contender's failure is a cell, not the end of the run
                failures[name] = reason(error)
                del results[name]
            else:
                if number >= warm_ups:
                    results[name].append(result)
    return Rounds(results, failures)


def reason(error: BaseException) -> str:
    """In a line, with the last that a program said which failed."""
    while isinstance(error, BaseExceptionGroup):
        error = error.exceptions[0]
    said = str(error)
    if isinstance(error, subprocess.CalledProcessError):
        last = (error.stderr or "").strip().rpartition("\n")[2]
        said = f"a program ended with {error.returncode}" + (f": {last}" if last else "")
    elif isinstance(error, subprocess.TimeoutExpired):
        said = f"a program did not end within {error.timeout:g} s"
    line = " ".join(f"{type(error).__name__}: {said}".split())
    return line if len(line) <= 200 else f"{line[:199]}…"


def child(command: list[str], *, within_s: float, env: Mapping[str, str] | None = None) -> str:
    """What a program says on standard output. Raises: CalledProcessError, with what it said on standard error;
    TimeoutExpired.
    """
    done = subprocess.run(command, capture_output=True, text=True, check=True, timeout=within_s, env=env)
    return done.stdout


def times(figure: float | None, factor: float) -> float | None:
    """In another unit."""
    return None if figure is None else figure * factor
