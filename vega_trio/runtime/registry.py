"""Who is there: processes by id and by name, the last finished ones, and the spawn tree."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterable
from typing import TYPE_CHECKING

import attrs

from vega_trio.checks import check_text
from vega_trio.errors import (
    AlreadyNamed,
    NameTaken,
    NoProcessError,
    UnknownName,
    UnknownProcess,
    did_you_mean,
)

if TYPE_CHECKING:
    from vega_trio.runtime.process import Process

REMEMBERED = 1000  # finished processes that stay readable
REMEMBERED_BYTES = 64 * 1024 * 1024  # of their conversations, which may be a megabyte each
MAX_DEPTH = 32


@attrs.frozen(kw_only=True)
class SpawnTreeNode:
    """A process and what it spawned, in spawn order. `started_at` is Unix seconds."""

    process_id: str
    agent_name: str | None
    task: str
    status: str
    spawn_depth: int
    spawn_reason: str
    started_at: float
    children: tuple[SpawnTreeNode, ...] = ()


@attrs.define(eq=False)
class Registry:
    """Every living process by id and by name, and the newest of those that have ended, by id."""

    _living: dict[str, Process] = attrs.field(factory=dict, init=False)
    _finished: OrderedDict[str, Process] = attrs.field(factory=OrderedDict, init=False)
    _names: dict[str, Process] = attrs.field(factory=dict, init=False)
    _weights: dict[str, int] = attrs.field(factory=dict, init=False)
    _finished_bytes: int = attrs.field(default=0, init=False)
    count: int = attrs.field(default=0, init=False)
    """Living processes, supervisors aside."""

    def add(self, process: Process) -> None:
        """Raises: ValueError when a living process has its id; NameTaken."""
        if process.id in self._living:
            raise ValueError(f"a living process has the id {process.id!r} already")
        if process.name is not None:
            self._claim(process.name, process)
        if process.id in self._finished:
            self._forget(process.id)
        self._living[process.id] = process
        if process.supervisor is None:
            self.count += 1

    def retire(self, process: Process) -> None:
        """It has ended for good: its name is free, and it is remembered for a while."""
        if self._living.pop(process.id, None) is None:
            return
        if process.name is not None:
            self._names.pop(process.name, None)
        if process.supervisor is None:
            self.count -= 1
        weight = process.conversation.weight if process.conversation is not None else 0
        self._finished[process.id], self._weights[process.id] = process, weight
        self._finished_bytes += weight
        while len(self._finished) > 1 and (len(self._finished) > REMEMBERED or self._finished_bytes > REMEMBERED_BYTES):
            self._forget(next(iter(self._finished)))

    def _forget(self, process_id: str) -> None:
        del self._finished[process_id]
        self._finished_bytes -= self._weights.pop(process_id)

    def get(self, process_id: str) -> Process:
        """Raises: UnknownProcess."""
        process = self._living.get(process_id) or self._finished.get(process_id)
        if process is None:
            raise UnknownProcess(f"there is no process {process_id!r}{did_you_mean(process_id, self._living)}")
        return process

    def knows(self, process_id: str) -> bool:
        """Whether a living or remembered process has that id."""
        return process_id in self._living or process_id in self._finished

    def find(self, process_id: str) -> Process | None:
        """The living process of that id."""
        return self._living.get(process_id)

    def living(self) -> list[Process]:
        """In the order in which they were spawned, supervisors aside. May be called from another thread."""
        return [process for process in self.everybody() if process.supervisor is None]

    def everybody(self) -> list[Process]:
        """The living ones, supervisors and all, in the order in which they were started."""
        return list(self._living.values())  # one step, whatever other threads do

    def supervisors(self) -> list[Process]:
        """In the order in which they were started."""
        return [process for process in self._living.values() if process.supervisor is not None]

    # -- names

    def register(self, name: str, process: Process) -> None:
        """Raises: NameTaken, AlreadyNamed, NoProcessError."""
        if process.final is not None:
            raise NoProcessError(f"process {process.id} has ended; only a living process can have a name")
        if process.name is not None:
            raise AlreadyNamed(f"process {process.id} has the name {process.name!r} already; unregister it first")
        self._claim(name, process)
        process.name = name

    def _claim(self, name: str, process: Process) -> None:
        check_text("a process's name", name)
        holder = self._names.get(name)
        if holder is not None:
            raise NameTaken(f"the name {name!r} belongs to process {holder.id}; names are unique")
        self._names[name] = process

    def unregister(self, name: str) -> None:
        """Raises: UnknownName."""
        self.named(name).name = None
        del self._names[name]

    def whereis(self, name: str) -> Process | None:
        return self._names.get(name)

    def named(self, name: str) -> Process:
        """Raises: UnknownName."""
        process = self._names.get(name)
        if process is None:
            raise UnknownName(f"no living process has the name {name!r}{did_you_mean(name, self._names)}")
        return process

    # -- the spawn tree

    def spawn_tree(self) -> list[SpawnTreeNode]:
        """Living and remembered processes; one whose parent is forgotten is a root."""
        known = {**self._finished, **self._living}
        shown = {id_: process for id_, process in known.items() if process.supervisor is None}
        children: dict[str | None, list[Process]] = {}
        for process in sorted(shown.values(), key=lambda each: each.started_at):
            parent = process.parent_id if process.parent_id in shown else None
            children.setdefault(parent, []).append(process)
        return list(_nodes(children.get(None, ()), children))


def _nodes(
    processes: Iterable[Process], children: dict[str | None, list[Process]]
) -> tuple[SpawnTreeNode, ...]:  # at most MAX_DEPTH deep
    return tuple(
        SpawnTreeNode(
            process_id=process.id,
            agent_name=process.agent_name,
            task=process.task or "",
            status=process.status,
            spawn_depth=process.spawn_depth,
            spawn_reason=process.spawn_reason or "",
            started_at=process.started_at,
            children=_nodes(children.get(process.id, ()), children),
        )
        for process in processes
    )
