"""Approvals as the fronts see them: what waits for a person, and the person's answer."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Literal

import attrs

from vega_trio._core.approving import ApprovalRules
from vega_trio.dsl.document import ApprovalsDefinition
from vega_trio.engine.approvals import Approval, Approvals
from vega_trio.errors import ApprovalDecided, UnknownApproval, UnknownProcess
from vega_trio.runtime.orchestrator import Orchestrator

__all__ = ["NOBODY", "Approval", "ApprovalDesk", "Approvals", "rules_of"]

NOBODY = "nobody can be asked in this program; open an application (vega.open_app) and answer with app.decide"
"""Why an orchestrator without an application denies at once."""

DECISIONS = ("approve", "deny")


def rules_of(definition: ApprovalsDefinition | None, granted: tuple[str, ...]) -> ApprovalRules:
    """The rules of a document, with what a person has approved in advance."""
    said = definition or ApprovalsDefinition()
    return ApprovalRules(tools=said.tools, mixing=said.mixing, timeout_s=said.timeout_s, granted=granted)


@attrs.frozen
class ApprovalDesk:
    """Where requests lie and are answered. `mine` says whether a process's are the caller's to see."""

    requests: Approvals
    orch: Orchestrator

    async def all(self, status: str | None, mine: Callable[[str], bool]) -> list[Approval]:
        """The newest first. `status`: pending, approved, denied, expired or cancelled."""
        # What is recorded as pending may have expired, or lost its process; nothing becomes pending.
        recorded: Literal["pending"] | None = "pending" if status == "pending" else None
        found = [self._as_it_stands(each) for each in await self.requests.all(recorded_as=recorded)]
        return [each for each in found if status in (None, each.status) and mine(each.process_id)]

    async def page(
        self, limit: int, *, before: str | None, status: str | None, mine: Callable[[str], bool]
    ) -> list[Approval]:
        """As `all`, from the one behind the request `before` on."""
        recorded = {"status": status} if status in ("pending", "approved", "denied") else {}
        found: list[Approval] = []
        while len(found) < limit:
            batch = await self.requests.newest(limit, before=before, **recorded)
            found += [each for each in map(self._as_it_stands, batch) if status in (None, each.status)]
            found = [each for each in found if mine(each.process_id)]
            if len(batch) < limit:
                break
            before = batch[-1].id
        return found[:limit]

    async def decide(
        self,
        approval_id: str,
        decision: str,
        *,
        mine: Callable[[str], bool],
        arguments: Mapping[str, Any] | None = None,
        note: str = "",
    ) -> Approval:
        """Raises: ValueError for a word that is neither approve nor deny; as `Approvals.decide`."""
        if decision not in DECISIONS:
            raise ValueError(f"a decision is 'approve' or 'deny', not {decision!r}")
        found = await self.requests.find(approval_id)
        if found is None or not mine(found.process_id):
            raise UnknownApproval(f"there is no request {approval_id!r} for an approval")
        if self._as_it_stands(found).status == "cancelled" != found.status:
            self.requests.withdraw(found)
            raise ApprovalDecided(f"the process {found.process_id} has ended; nobody waits for {found.id}", "cancelled")
        approve = decision == "approve"
        return await self.requests.decide(approval_id, approve=approve, arguments=arguments, note=note)

    def _as_it_stands(self, approval: Approval) -> Approval:
        """A request whose process is gone is waited for by nobody."""
        if approval.status == "pending" and not self._waits(approval.process_id):
            return attrs.evolve(approval, status="cancelled")
        return approval

    def _waits(self, process_id: str) -> bool:
        if self.orch.recovered.get(process_id) is not None:
            return True
        try:
            return self.orch.get(process_id).alive
        except UnknownProcess:
            return False
