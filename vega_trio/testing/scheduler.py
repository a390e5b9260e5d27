"""Trio's scheduler with its chance drawn from a seed, watched so that a run that can never end says so.

Trio picks the order of runnable tasks at random. Given its deterministic mode and a seeded generator, and as long
as nothing outside of the run (threads, sockets, the real clock) is waited for, a run is a function of its seed.
"""

# ruff: noqa: SLF001 - Trio has no public way to seed its scheduler, nor to end a run that is deadlocked in shields

from __future__ import annotations

import signal
import threading
import traceback
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType

import attrs
import trio
from trio._core import _run


@contextmanager
def seeded_scheduler(seed: int | str) -> Iterator[None]:
    """Runs started in the block choose the order of tasks by `seed`. Not to be entered inside of a run."""
    mode, state = _run._ALLOW_DETERMINISTIC_SCHEDULING, _run._r.getstate()
    _run._ALLOW_DETERMINISTIC_SCHEDULING = True  # type: ignore[misc]
    _run._r.seed(seed)
    try:
        yield
    finally:
        _run._ALLOW_DETERMINISTIC_SCHEDULING = mode  # type: ignore[misc]
        _run._r.setstate(state)


class Stuck(BaseException):
    """Thrown into every task of a run that is given up. No Exception, so that no supervisor takes it for a crash."""


@attrs.define(eq=False)
class Watch(trio.abc.Instrument):
    """Counts the steps of a run, and gives it up when no task can ever run again, or after `max_steps`.

    Within `timed()` also when one single step takes too long.
    `digest` is a checksum of the order in which tasks ran: runs with the same digest were scheduled alike.
    `at_step` calls back before the step of that number, counted from 1.
    """

    max_steps: int
    at_step: dict[int, Callable[[], object]] = attrs.field(factory=dict)
    steps: int = attrs.field(default=0, init=False)
    digest: int = attrs.field(default=0, init=False)
    problem: str | None = attrs.field(default=None, init=False)
    """Why the run was given up."""
    _main: trio.lowlevel.Task | None = attrs.field(default=None, init=False)
    _numbers: dict[trio.lowlevel.Task, int] = attrs.field(factory=dict, init=False)
    _spawned: int = attrs.field(default=0, init=False)
    _idle_passes: int = attrs.field(default=0, init=False)

    def watch_current_task(self) -> None:
        """The calling task and those below it are what is thrown into."""
        self._main = trio.lowlevel.current_task()

    def task_spawned(self, task: trio.lowlevel.Task) -> None:
        self._spawned += 1
        self._numbers[task] = self._spawned

    def task_exited(self, task: trio.lowlevel.Task) -> None:
        self._numbers.pop(task, None)

    def before_task_step(self, task: trio.lowlevel.Task) -> None:
        self._idle_passes = 0
        self.steps += 1
        self.digest = zlib.crc32(self._numbers[task].to_bytes(4), self.digest)
        call = self.at_step.get(self.steps)
        if call is not None:
            call()
        if self.steps >= self.max_steps and self.steps % self.max_steps == 0:
            self._give_up(f"the run took {self.steps:,} steps, which is taken for an endless loop")

    def before_io_wait(self, timeout: float) -> None:
        self._idle_passes += 1
        # The first idle pass may be the one that moves the clock or wakes who waits for idleness.
        if self._idle_passes > 2 and trio.lowlevel.current_statistics().seconds_to_next_deadline == float("inf"):
            self._give_up("no task can ever run again: a deadlock, or a wait for a thread or a socket")
            self._idle_passes = 0

    @contextmanager
    def timed(self, seconds: float) -> Iterator[None]:
        """Gives the run up when one step takes up `seconds` of CPU: a loop without a checkpoint stops all others.

        In the main thread only, as Python handles signals nowhere else; and not where processes have no CPU timers.
        """
        if threading.current_thread() is not threading.main_thread() or not hasattr(signal, "setitimer"):
            yield
            return
        seen = -1

        def tick(_: int, frame: FrameType | None) -> None:
            nonlocal seen
            if self.steps == seen:
                where = "".join(traceback.format_stack(frame)[-6:])
                self._give_up(f"one step took {seconds:g} s of CPU and did not end:\n{where}")
                raise Stuck
            seen = self.steps

        before = signal.signal(signal.SIGVTALRM, tick)
        signal.setitimer(signal.ITIMER_VIRTUAL, seconds, seconds)
        try:
            yield
        finally:
            signal.setitimer(signal.ITIMER_VIRTUAL, 0)
            signal.signal(signal.SIGVTALRM, before)

    def _give_up(self, why: str) -> None:
        tasks = sorted(_below(self._main), key=self._numbers.__getitem__) if self._main is not None else []
        if self.problem is None:
            self.problem = f"{why}\n" + "".join(_where(task) for task in tasks)
        for task in tasks:
            if task._abort_func is not None:
                task._attempt_abort(_raise_stuck)


def _raise_stuck() -> None:
    raise Stuck


def _below(task: trio.lowlevel.Task) -> Iterator[trio.lowlevel.Task]:
    yield task
    for nursery in task.child_nurseries:
        for child in nursery.child_tasks:
            yield from _below(child)


def _where(task: trio.lowlevel.Task) -> str:
    """The task's name and the last line of ours it waits at."""
    frames = traceback.StackSummary.extract(task.iter_await_frames())
    ours = [frame for frame in frames if "/trio/" not in frame.filename] or list(frames)
    place = f"{ours[-1].filename}:{ours[-1].lineno} in {ours[-1].name}" if ours else "its first step"
    return f"  task {task.name} waits at {place}\n"
