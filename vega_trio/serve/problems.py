"""What a client is told when it cannot have what it asked for: RFC 9457 problems, out of the error tree.

`code` is stable and for programs, `error` says what, with which value, `hint` what to do. There is never a traceback.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import attrs

from vega_trio.diagnostics import Diagnostic
from vega_trio.errors import (
    AgentExists,
    AgentOfDocument,
    AgentProtected,
    ApprovalDecided,
    ApprovalExpired,
    Conflict,
    DocumentError,
    InputError,
    MailboxFull,
    McpError,
    McpServerExists,
    MissingExtra,
    OrchestratorClosed,
    ProcessExited,
    RunFailed,
    SlowSubscriber,
    StoreError,
    StoreReadOnly,
    TooManyProcesses,
    TurnCancelled,
    TurnFailed,
    UnknownAgent,
    UnknownApproval,
    UnknownItem,
    UnknownMcpServer,
    UnknownProcess,
    UnknownRun,
    UnknownSession,
    UnknownToken,
    UnknownWorkflow,
    VegaError,
)
from vega_trio.session import ErrorClass

CONTENT_TYPE = "application/problem+json"


@attrs.frozen
class Problem:
    """A refusal. `field` is the key of the body or query that is wrong; `retry_after_s` becomes `Retry-After`."""

    status: int
    code: str
    error: str
    hint: str = ""
    field: str = attrs.field(default="", kw_only=True)
    details: Mapping[str, Any] | None = attrs.field(default=None, kw_only=True)
    diagnostics: tuple[Diagnostic, ...] = attrs.field(default=(), kw_only=True)
    retry_after_s: int | None = attrs.field(default=None, kw_only=True)
    allow: tuple[str, ...] = attrs.field(default=(), kw_only=True)
    challenge: str = attrs.field(default="", kw_only=True)

    def body(self, request_id: str) -> dict[str, Any]:
        """The JSON of section 1 of the API's description."""
        out: dict[str, Any] = {"error": self.error}
        if self.details is not None:
            out["details"] = self.details
        out["code"] = self.code
        out["status"] = self.status
        if self.hint:
            out["hint"] = self.hint
        if self.field:
            out["field"] = self.field
        if self.diagnostics:
            out["diagnostics"] = [each.shown() for each in self.diagnostics]
        out["request_id"] = request_id
        return out

    def headers(self) -> dict[str, str]:
        out = {"content-type": CONTENT_TYPE}
        if self.retry_after_s is not None:
            out["retry-after"] = str(self.retry_after_s)
        if self.allow:
            out["allow"] = ", ".join(self.allow)
        if self.challenge:
            out["www-authenticate"] = self.challenge
        return out


class Refused(Exception):
    """Raised by a handler to answer with a problem."""

    def __init__(self, problem: Problem) -> None:
        super().__init__(problem.error)
        self.problem = problem


@attrs.frozen
class _Answer:
    status: int
    hint: str
    retry_after_s: int | None = None


_TURN_ANSWERS: Mapping[str, _Answer] = {
    ErrorClass.BUDGET_EXCEEDED: _Answer(402, "raise the budget of the agent, or of the settings, and ask again"),
    ErrorClass.RATE_LIMIT: _Answer(429, "the model's rate limit is used up; wait and ask again", 10),
    ErrorClass.OVERLOADED: _Answer(503, "the model is overloaded; wait and ask again", 10),
    ErrorClass.TEMPORARY: _Answer(503, "the model could not be reached or broke off; ask again", 5),
    ErrorClass.TIMEOUT: _Answer(504, "the model did not answer in time; ask again, or raise VEGA_TIMEOUT"),
    ErrorClass.AUTHENTICATION: _Answer(502, "the key was refused; set ANTHROPIC_API_KEY in the shell or ~/.vega/env"),
    ErrorClass.INVALID_REQUEST: _Answer(502, "the model refused the request; check the agent's model and settings"),
    ErrorClass.CONTEXT_OVERFLOW: _Answer(502, "the conversation is too long for the model; clear the chat"),
    ErrorClass.REFUSAL: _Answer(502, "the model declined to answer; rephrase the message"),
    ErrorClass.LIMIT_EXCEEDED: _Answer(502, "raise the agent's max_iterations, or ask for less at once"),
    ErrorClass.FORMAT_ERROR: _Answer(502, "the model's reply was not of the agent's output type; ask again"),
    ErrorClass.INTERRUPTED: _Answer(503, "the agent's process crashed while answering; ask again", 1),
}


def turn_problem(error_class: str, error: str, turn_id: str) -> Problem:
    """A failed turn as the blocking chat answers it. `code` is the failure's class."""
    answer = _TURN_ANSWERS.get(error_class, _Answer(502, "see the events of the turn for what happened"))
    return Problem(
        answer.status,
        error_class or "turn_failed",
        error,
        answer.hint,
        details={"turn_id": turn_id},
        retry_after_s=answer.retry_after_s,
    )


_PLAIN: Mapping[type, tuple[int, str, str]] = {
    AgentExists: (409, "taken", "GET /api/agents lists the names that are taken"),
    AgentOfDocument: (409, "defined_in_file", "edit the document and restart the server"),
    AgentProtected: (403, "protected", "compose an agent of your own"),
    UnknownAgent: (404, "unknown_agent", "GET /api/agents lists the agents"),
    UnknownWorkflow: (404, "unknown_workflow", "GET /api/workflows lists the workflows"),
    UnknownSession: (404, "unknown_session", "leave `session` out for the newest conversation"),
    UnknownItem: (404, "not_found", "the list of its kind has what there is"),
    Conflict: (409, "conflict", "see what there is, then send again"),
    UnknownToken: (404, "not_found", "GET /api/tokens lists the tokens"),
    UnknownRun: (404, "not_found", "GET /api/runs lists the runs"),
    UnknownProcess: (404, "not_found", "GET /api/processes lists the processes, living and past"),
}
"""Status, code and hint of errors that say all else themselves."""


def problem_of(error: VegaError) -> Problem:
    """The problem that an error of the application is for a client."""
    text = str(error)
    plain = _PLAIN.get(type(error))
    if plain is not None:
        status, code, hint = plain
        return Problem(status, code, text, hint)
    match error:
        case TurnFailed(error_class=error_class, turn_id=turn_id):
            return turn_problem(error_class, text, turn_id)
        case TurnCancelled(turn_id=turn_id, text=said):
            return cancelled(turn_id, said)
        case InputError(code=code, field=field):
            return Problem(400, code, text, "GET /api/workflows shows the inputs", field=field or "")
        case DocumentError(diagnostics=diagnostics):
            return Problem(422, "document", text, "correct the document where it says", diagnostics=diagnostics)
        case MailboxFull():
            return Problem(429, "mailbox_full", text, "wait for the answers under way, then send", retry_after_s=1)
        case _:
            return _condition(error, text)


def _condition(error: VegaError, text: str) -> Problem:
    """The server's state, a process that ended, or servers of others."""
    match error:
        case TooManyProcesses():
            hint = "end processes (DELETE /api/processes/ID) or raise settings.max_processes"
            return Problem(503, "too_many_processes", text, hint, retry_after_s=5)
        case OrchestratorClosed():
            return stopping()
        case ProcessExited():
            hint = "send the message again; it starts the agent anew"
            return Problem(503, "agent_crashed", text, hint, retry_after_s=1)
        case UnknownMcpServer():
            return Problem(404, "not_found", text, "GET /api/mcp/servers lists the servers")
        case McpServerExists():
            return Problem(409, "conflict", text, "GET /api/mcp/servers lists the servers")
        case McpError():
            return Problem(502, "mcp", text, "GET /api/mcp/servers shows the state of the servers")
        case SlowSubscriber():
            hint = "the turn goes on; read its answer with GET ../chat"
            return Problem(503, "slow_reader", text, hint, retry_after_s=1)
        case RunFailed(error_class=error_class, run_id=run_id):
            return Problem(502, error_class, text, "GET /api/runs/ID shows the steps", details={"run_id": run_id})
        case MissingExtra():
            return Problem(503, "missing_extra", text, "install the extra and restart the server", retry_after_s=60)
        case StoreError():
            return _store_problem(error, text)
        case UnknownApproval() | ApprovalDecided():
            return _approval_problem(error, text)
        case _:
            return Problem(500, "internal", text, "this is a bug of vega; please report it with the request_id")


def _approval_problem(error: UnknownApproval | ApprovalDecided, text: str) -> Problem:
    match error:
        case UnknownApproval():
            return Problem(404, "not_found", text, "GET /api/approvals lists the requests")
        case ApprovalExpired():
            return Problem(410, "expired", text, "send the message again; its call asks anew")
        case _:
            hint = "GET /api/approvals shows how it stands"
            return Problem(409, "decided", text, hint, details={"status": error.status})


def _store_problem(error: StoreError, text: str) -> Problem:
    if isinstance(error, StoreReadOnly):
        full = getattr(error.__cause__, "sqlite_errorname", "") == "SQLITE_FULL"
        hint = "make room on" if full else "mend"
        hint = f"{hint} the disk of the database, then send again; nothing was changed"
        return Problem(507, "disk_full" if full else "read_only", text, hint)
    return Problem(503, "store", text, "nothing was changed; check the database and its disk", retry_after_s=5)


def stopping() -> Problem:
    return Problem(503, "stopping", "the server is stopping", "ask again when it is back", retry_after_s=5)


def cancelled(turn_id: str, text: str) -> Problem:
    """A turn that somebody stopped while a blocking request waited for it."""
    details = {"turn_id": turn_id, "response": text}
    return Problem(409, "cancelled", "the turn was stopped", "what had been said is kept", details=details)


def internal() -> Problem:
    """Our bug. What happened stands in the server's log, under the request's id."""
    return Problem(500, "internal", "the server failed to answer", "look for the request_id in the server's log")


def bad_value(field: str, error: str, hint: str = "") -> Refused:
    """A query parameter or body field that cannot be used."""
    return Refused(Problem(400, "bad_value", error, hint or f"correct {field!r} and send again", field=field))
