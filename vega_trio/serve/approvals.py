"""Approvals: which tool calls wait for a person, and the person's answer."""

from __future__ import annotations

from quart import Request, Response

from vega_trio._core.wire import rfc3339
from vega_trio.app.approvals import Approval
from vega_trio.app.statuses import APPROVAL_STATUSES
from vega_trio.serve.desk import Desk, Route, body_of, exchange_of, json_answer
from vega_trio.serve.models.approvals import ApprovalAnswer, ApprovalEntry
from vega_trio.serve.paging import cursor_of, cut, nothing_at, page_length
from vega_trio.serve.problems import bad_value


async def every(desk: Desk, request: Request) -> Response:
    """Newest first."""
    status = request.args.get("status") or None
    if status not in (None, *APPROVAL_STATUSES):
        raise bad_value("status", f"'status' must be one of {', '.join(APPROVAL_STATUSES)}, not {str(status)[:40]!r}")
    limit, before = page_length(request), cursor_of(request)
    if before is not None and await desk.app.desk.requests.find(before) is None:
        raise nothing_at(before)
    found = await desk.app.approvals_page(limit + 1, before=before, status=status, user=_whose(request))
    page, headers = cut(request, found, limit, lambda each: each.id)
    return json_answer(desk, [entry(each) for each in page], headers=headers)


async def decide(desk: Desk, request: Request, approval_id: str) -> Response:
    """Answers a request, once. The answer is durable when this returns."""
    body = await body_of(desk, request, ApprovalAnswer)
    if body.decision not in ("approve", "deny"):
        raise bad_value("decision", f"'decision' must be approve or deny, not {body.decision[:40]!r}")
    decided = await desk.app.decide(
        approval_id, body.decision, arguments=body.arguments, note=body.note, user=_whose(request)
    )
    return json_answer(desk, entry(decided))


def _whose(request: Request) -> str | None:
    """Whose requests the caller may see; None: everybody's."""
    identity = exchange_of(request).identity
    return None if identity.sees_all() else identity.user


def entry(approval: Approval) -> ApprovalEntry:
    """A request as it is listed."""
    return ApprovalEntry(
        id=approval.id,
        process_id=approval.process_id,
        agent=approval.agent,
        tool_name=approval.tool_name,
        arguments=approval.arguments,
        reason=approval.reason,
        created_at=rfc3339(approval.created_at),
        expires_at=rfc3339(approval.expires_at),
        status=approval.status,
        session_id=approval.session_id,
        turn_id=approval.turn_id,
        tool_call_id=approval.tool_call_id,
        note=approval.note,
        changed=approval.changed,
        decided_at=rfc3339(approval.decided_at) if approval.decided_at is not None else None,
    )


ROUTES = (
    Route("GET", "/api/approvals", every, answer=list[ApprovalEntry], query=("status", "limit", "cursor")),
    Route("POST", "/api/approvals/<approval_id>", decide, body=ApprovalAnswer, answer=ApprovalEntry),
)
