"""Requests for a person's yes: durable, bound to one exact call, used once, and a no when nobody answers in time.

    pending     recorded together with the event that says so; whoever waits for it may die and come back
    approved    the call is made, with the arguments that were shown, or those the person put in their place
    denied      the model is told so, with the person's note
    expired     nobody answered by `expires_at`, by the wall clock: a request outlives the program
    cancelled   the turn was stopped

A request leaves `pending` once, in one transaction with `approval.resolved`; from the step in which that is submitted
nobody else can decide it.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from functools import partial
from typing import Any, Literal

import attrs
import trio

from vega_trio._core.approving import ApprovalRules
from vega_trio.changes import Put
from vega_trio.errors import ApprovalDecided, ApprovalExpired, UnknownApproval
from vega_trio.events import ApprovalResolved
from vega_trio.protocols import Commit, Store

TABLE = "approval"

ApprovalStatus = Literal["pending", "approved", "denied", "expired", "cancelled"]


@attrs.frozen(kw_only=True)
class Approval:
    """One request. Times are Unix seconds; `bound` is the hash of what it is for.

    `changed` are the arguments that the person put in the place of those asked for, None when it was these.
    """

    id: str
    process_id: str
    agent: str
    tool_name: str
    arguments: Mapping[str, Any]
    reason: str
    created_at: float
    expires_at: float
    bound: str
    session_id: str | None = None
    turn_id: str | None = None
    root_turn_id: str | None = None
    tool_call_id: str = ""
    status: ApprovalStatus = "pending"
    note: str = ""
    changed: Mapping[str, Any] | None = None
    decided_at: float | None = None

    @property
    def put(self) -> Put:
        """The change that records it."""
        return Put(TABLE, self.id, attrs.asdict(self))


@attrs.define(eq=False)
class _Waiter:
    """The task that waits for one request, if there is one, is woken with what became of it."""

    woken: trio.Event = attrs.field(factory=trio.Event)
    settled: Approval | None = None


@attrs.define(kw_only=True, eq=False)
class Approvals:
    """The requests of a program. `unattended`: why nobody can be asked, told with the denial; None: somebody can.

    `emit` is the bus's, set once that is open. Used in the Trio thread only.
    """

    store: Store
    wall_clock: Callable[[], float]
    rules: ApprovalRules = attrs.field(factory=ApprovalRules)
    unattended: str | None = None
    emit: Callable[..., Commit | None] | None = None
    _pending: dict[str, Approval] = attrs.field(factory=dict, init=False)
    _settling: set[str] = attrs.field(factory=set, init=False)
    _waiters: dict[str, _Waiter] = attrs.field(factory=dict, init=False)

    async def load(self) -> None:
        """Takes up the requests that an earlier program left open."""
        for row in await self.store.records.query(TABLE, status="pending"):
            self._pending[row["id"]] = Approval(**row)

    async def find(self, approval_id: str) -> Approval | None:
        """The request as it stands."""
        if approval_id in self._pending:
            return self._pending[approval_id]
        row = await self.store.records.get(TABLE, approval_id)
        return Approval(**row) if row is not None else None

    async def all(self, *, recorded_as: ApprovalStatus | None = None) -> list[Approval]:
        """The newest first; one that nobody answered in time shows as expired, recorded as such or not."""
        equals = {} if recorded_as is None else {"status": recorded_as}
        rows = await self.store.records.query(TABLE, **equals)
        found = [self._as_of_now(Approval(**row)) for row in rows]
        return sorted(found, key=lambda each: each.created_at, reverse=True)

    async def newest(self, limit: int, *, before: str | None = None, **equals: str | None) -> list[Approval]:
        """As `all`, so many, from the one behind the request `before` on."""
        rows = await self.store.records.newest(TABLE, limit=limit, before=before, **equals)
        return [self._as_of_now(Approval(**row)) for row in rows]

    def _as_of_now(self, approval: Approval) -> Approval:
        late = approval.status == "pending" and self._is_late(approval)
        return attrs.evolve(approval, status="expired") if late else approval

    def _is_late(self, approval: Approval) -> bool:
        """Of a request that somebody waits for, the one who waits knows."""
        return approval.id not in self._waiters and self.wall_clock() >= approval.expires_at

    def request(self, approval: Approval) -> Put:
        """Opens a request; the change is to be submitted with the event that tells of it."""
        self._pending[approval.id] = approval
        return approval.put

    async def decided(self, approval: Approval) -> Approval:
        """Waits until a request is approved or denied, or its time is over. Cancelled, it stays open.

        Raises: StoreError when that cannot be recorded.
        """
        if approval.id not in self._pending and approval.id not in self._settling:
            found = await self.find(approval.id)  # the answer was quicker than the question
            assert found is not None
            return found
        waiter = self._waiters[approval.id] = _Waiter()
        try:
            if self.unattended is not None and approval.id in self._pending:
                await self._settle(approval, "denied", note=self.unattended).wait()
            # Within one program the monotonic clock counts: a wall clock that jumps must not answer for anybody.
            deadline = trio.current_time() + max(0.0, approval.expires_at - self.wall_clock())
            while waiter.settled is None:
                await self._news(approval, waiter, deadline)
        finally:
            self._waiters.pop(approval.id, None)
        return waiter.settled

    async def _news(self, approval: Approval, waiter: _Waiter, deadline: float) -> None:
        """Returns when the request was settled, or may have been, or is to be looked at anew."""
        open_ = approval.id in self._pending
        if open_ and trio.current_time() >= deadline:
            await self._settle(approval, "expired").wait()
            return
        with trio.move_on_at(deadline if open_ else math.inf):
            await waiter.woken.wait()
            waiter.woken = trio.Event()

    async def decide(
        self,
        approval_id: str,
        *,
        approve: bool,
        arguments: Mapping[str, Any] | None = None,
        note: str = "",
    ) -> Approval:
        """Records a person's answer, durable on return.

        Raises: UnknownApproval; ApprovalExpired, ApprovalDecided; StoreError, and the request stays open.
        """
        found = await self.find(approval_id)
        if found is None:
            raise UnknownApproval(f"there is no request {approval_id!r} for an approval")
        if approval_id not in self._pending:
            raise _closed(found)
        if self._is_late(found):
            await self._settle(found, "expired").wait()
            raise _closed(attrs.evolve(found, status="expired"))
        changed = arguments if approve and arguments is not None and arguments != found.arguments else None
        status: ApprovalStatus = "approved" if approve else "denied"
        await self._settle(found, status, note=note, changed=changed).wait()
        return attrs.evolve(found, status=status, note=note, changed=changed, decided_at=self.wall_clock())

    def withdraw(self, approval: Approval) -> None:
        """Nobody waits any more: the turn was stopped."""
        if approval.id in self._pending:
            self._settle(approval, "cancelled")

    def _settle(
        self,
        approval: Approval,
        status: ApprovalStatus,
        *,
        note: str = "",
        changed: Mapping[str, Any] | None = None,
    ) -> Commit:
        settled = attrs.evolve(approval, status=status, note=note, changed=changed, decided_at=self.wall_clock())
        del self._pending[approval.id]
        self._settling.add(approval.id)
        assert self.emit is not None
        commit = self.emit(_resolved(settled), settled.put)
        assert commit is not None
        commit.on_done(partial(self._recorded, approval, settled))
        return commit

    def _recorded(self, approval: Approval, settled: Approval, commit: Commit) -> None:
        """What could not be recorded has not been decided."""
        self._settling.discard(approval.id)
        if commit.error is not None:
            self._pending[approval.id] = approval
        if approval.id in self._waiters:
            waiter = self._waiters[approval.id]
            waiter.settled = settled if commit.error is None else None
            waiter.woken.set()


def _closed(approval: Approval) -> ApprovalDecided:
    if approval.status == "expired":
        return ApprovalExpired(f"the request {approval.id} was not answered in time", "expired")
    stands = "is being decided" if approval.status == "pending" else f"has been {approval.status}"
    return ApprovalDecided(f"the request {approval.id} {stands} already", approval.status)


def _resolved(approval: Approval) -> ApprovalResolved:
    return ApprovalResolved(
        process_id=approval.process_id,
        agent=approval.agent,
        session_id=approval.session_id,
        turn_id=approval.turn_id,
        root_turn_id=approval.root_turn_id,
        approval_id=approval.id,
        tool_call_id=approval.tool_call_id,
        tool_name=approval.tool_name,
        decision="approve" if approval.status == "approved" else "deny",
        status=approval.status,
        note=approval.note,
    )
