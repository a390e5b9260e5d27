"""Errors as clients see them."""

from __future__ import annotations

import json

import pytest

from vega_trio import errors
from vega_trio.diagnostics import Diagnostic
from vega_trio.exits import Killed
from vega_trio.serve.problems import Problem, problem_of, turn_problem
from vega_trio.serve.sse import to_json
from vega_trio.session import ErrorClass

STATUSES = {
    ErrorClass.RATE_LIMIT: 429,
    ErrorClass.OVERLOADED: 503,
    ErrorClass.TIMEOUT: 504,
    ErrorClass.TEMPORARY: 503,
    ErrorClass.AUTHENTICATION: 502,
    ErrorClass.INVALID_REQUEST: 502,
    ErrorClass.BUDGET_EXCEEDED: 402,
    ErrorClass.CONTEXT_OVERFLOW: 502,
    ErrorClass.REFUSAL: 502,
    ErrorClass.LIMIT_EXCEEDED: 502,
    ErrorClass.FORMAT_ERROR: 502,
    ErrorClass.INTERRUPTED: 503,
}


@pytest.mark.parametrize("error_class", list(ErrorClass))
def test_every_class_of_failed_turns_has_its_status_and_a_hint(error_class: ErrorClass) -> None:
    problem = turn_problem(error_class, "what happened", "t1")
    assert problem.status == STATUSES[error_class]
    assert problem.code == error_class.value
    assert problem.hint
    assert (problem.retry_after_s is not None) == (problem.status in (429, 503))


CASES = [
    (errors.UnknownAgent("agent 'x' is not defined"), 404, "unknown_agent"),
    (errors.UnknownWorkflow("workflow 'x' is not defined"), 404, "unknown_workflow"),
    (errors.UnknownProcess("there is no process 'x'"), 404, "not_found"),
    (errors.InputError("input 'task' is missing", "V040", "task"), 400, "V040"),
    (errors.MailboxFull("full"), 429, "mailbox_full"),
    (errors.TooManyProcesses("1000 are alive"), 503, "too_many_processes"),
    (errors.OrchestratorClosed("closed"), 503, "stopping"),
    (errors.ProcessExited("p1", Killed()), 503, "agent_crashed"),
    (errors.SlowSubscriber(4), 503, "slow_reader"),
    (errors.StoreError("locked"), 503, "store"),
    (errors.MissingExtra("local", "the local model"), 503, "missing_extra"),
    (errors.TurnFailed("too dear", ErrorClass.BUDGET_EXCEEDED, "t1"), 402, "budget_exceeded"),
    (errors.TurnCancelled("t1", "so far"), 409, "cancelled"),
    (errors.DocumentError([Diagnostic("V001", "wrong", "a.yaml", 1, 2, 1, 3)]), 422, "document"),
    (errors.AlreadyNamed("what no request can cause"), 500, "internal"),
]


@pytest.mark.parametrize(("error", "status", "code"), CASES)
def test_every_error_has_status_code_hint_and_request_id(error: errors.VegaError, status: int, code: str) -> None:
    problem = problem_of(error)
    body = json.loads(to_json(problem.body("r1")))
    assert (problem.status, problem.code) == (status, code)
    assert body["status"] == status
    assert body["code"] == code
    assert body["error"]
    assert body["hint"]
    assert body["request_id"] == "r1"
    assert "Traceback" not in str(body)
    assert ("retry-after" in problem.headers()) == (status in (429, 503))


def test_the_keys_come_in_the_documented_order() -> None:
    problem = Problem(400, "bad", "what", "do", field="f", details={"a": 1})
    assert list(problem.body("r")) == ["error", "details", "code", "status", "hint", "field", "request_id"]


def test_a_full_disk_is_told_from_other_troubles_of_the_store() -> None:
    cause = RuntimeError("database or disk is full")
    cause.sqlite_errorname = "SQLITE_FULL"  # type: ignore[attr-defined]
    error = errors.StoreReadOnly("not written")
    assert (problem_of(error).status, problem_of(error).code) == (507, "read_only")
    error.__cause__ = cause
    assert (problem_of(error).status, problem_of(error).code) == (507, "disk_full")
    assert problem_of(errors.StoreError("not written")).status == 503


def test_a_document_error_carries_its_diagnostics() -> None:
    error = errors.DocumentError([Diagnostic("V001", "wrong", "a.yaml", 1, 2, 1, 3, source="secret: text")])
    [shown] = problem_of(error).body("r")["diagnostics"]
    assert shown["code"] == "V001"
    assert "source" not in shown
