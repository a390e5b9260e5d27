"""Groups: named sets of living processes with a shared blackboard."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import attrs
import trio

from vega_trio.errors import NoProcessError
from vega_trio.runtime import hooks
from vega_trio.runtime.blackboard import Blackboard

if TYPE_CHECKING:
    from vega_trio.runtime.process import Process

Hook = Callable[["Process"], None]


@attrs.frozen
class Answer:
    """What one member replied to a broadcast, or the error that came instead."""

    value: Any = None
    error: Exception | None = None


@attrs.define(eq=False)
class Group:
    """Members are identities: they stay over restarts and leave at their final exit.

    The blackboard holds JSON values, copied in and out; it is durable, as far as the store is.
    """

    name: str
    _blackboard: Blackboard = attrs.field(repr=False)
    _members: dict[str, Process] = attrs.field(factory=dict, init=False)
    _on_join: list[Hook] = attrs.field(factory=list, init=False)
    _on_leave: list[Hook] = attrs.field(factory=list, init=False)

    # -- members

    def join(self, process: Process) -> None:
        """Once is enough. Raises: NoProcessError."""
        if process.final is not None:
            raise NoProcessError(f"process {process.id} has ended and cannot join the group {self.name!r}")
        if process.id not in self._members:
            self._members[process.id] = process
            process.groups = {**(process.groups or {}), self: None}
            self._call("on_join", self._on_join, process)

    def leave(self, process: Process) -> bool:
        """Whether it was a member."""
        if self._members.pop(process.id, None) is None:
            return False
        if process.groups is not None:
            process.groups.pop(self, None)
        self._call("on_leave", self._on_leave, process)
        return True

    def members(self) -> list[Process]:
        """In the order in which they joined."""
        return list(self._members.values())

    def has(self, process: Process) -> bool:
        return process.id in self._members

    def on_join(self, hook: Hook) -> None:
        """Calls `hook(process)`, synchronously, whenever a process has joined."""
        self._on_join.append(hook)

    def on_leave(self, hook: Hook) -> None:
        """Calls `hook(process)`, synchronously, whenever a process has left or ended."""
        self._on_leave.append(hook)

    def _call(self, name: str, given: list[Hook], process: Process) -> None:
        for hook in tuple(given):
            try:
                hook(process)
            except BaseException as error:  # noqa: BLE001 - a hook's failure must not become the member's
                hooks.failed(process, f"{name} of group {self.name!r}", error)

    async def broadcast(self, message: Any, timeout: float | None = None) -> dict[str, Answer]:
        """Sends to all members side by side and gathers their replies by process id.

        `timeout` bounds each call, in seconds.
        """
        answers: dict[str, Answer] = dict.fromkeys(self._members, Answer())

        async def ask(member: Process) -> None:
            try:
                answers[member.id] = Answer(await member.send(message, timeout=timeout))
            except Exception as error:  # noqa: BLE001 - whatever a member fails the call with is its answer
                answers[member.id] = Answer(error=error)

        async with trio.open_nursery() as nursery:
            for member in self.members():
                nursery.start_soon(ask, member)
        return answers

    # -- the blackboard

    async def bb_set(self, key: str, value: object, expect: int | None = None) -> int:
        """Writes a JSON value, durably, and returns the key's new version. `expect`: the one it must have, 0 for none.

        Cancelled while it waits for the commit, the value is written all the same.

        Raises: BlackboardConflict, StoreError, ValueError when JSON cannot hold the value.
        """
        return await self._blackboard.set(key, value, expect)

    def bb_version(self, key: str) -> int:
        """0 for a key that is not there."""
        return self._blackboard.version(key)

    def bb_get(self, key: str, default: Any = None) -> Any:
        return self._blackboard.get(key, default)

    async def bb_delete(self, key: str) -> bool:
        """Whether it was there. Raises: StoreError."""
        return await self._blackboard.delete(key)

    def bb_keys(self) -> list[str]:
        """In the order in which they were first written."""
        return self._blackboard.keys()

    def bb_snapshot(self) -> dict[str, Any]:
        return {key: self._blackboard.get(key, None) for key in self.bb_keys()}
