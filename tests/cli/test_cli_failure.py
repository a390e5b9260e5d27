from __future__ import annotations

import click
import pytest

from vega_trio.cli.failure import Failure, describe, exit_code, report, show, unwrap, usage
from vega_trio.diagnostics import Diagnostic
from vega_trio.errors import (
    ConfigError,
    DocumentError,
    InputError,
    MissingExtra,
    MissingKey,
    ModelError,
    RunCancelled,
    RunFailed,
    StoreBusy,
    StoreError,
    TurnCancelled,
    TurnFailed,
    UnknownAgent,
    UnknownWorkflow,
)
from vega_trio.session import ErrorClass


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (Failure("no"), 1),
        (usage("no"), 2),
        (click.UsageError("no"), 2),
        (DocumentError([]), 2),
        (ConfigError("no"), 2),
        (InputError("no", "V040"), 2),
        (UnknownAgent("no"), 2),
        (UnknownWorkflow("no"), 2),
        (StoreError("no"), 1),
        (StoreBusy("no"), 1),
        (MissingExtra("serve", "the server"), 1),
        (MissingKey("no"), 4),
        (ModelError("no", ErrorClass.AUTHENTICATION, status=401), 4),
        (TurnFailed("no", ErrorClass.AUTHENTICATION, "t"), 4),
        (RunFailed("no", "authentication", "r"), 4),
        (RunFailed("no", "budget_exceeded", "r"), 5),
        (TurnFailed("no", ErrorClass.BUDGET_EXCEEDED, "t"), 5),
        (RunFailed("no", "timeout", "r"), 124),
        (RunFailed("no", "agent_crashed", "r"), 1),
        (TurnFailed("no", ErrorClass.TEMPORARY, "t"), 1),
        (RunCancelled("r"), 130),
        (TurnCancelled("t"), 130),
        (KeyboardInterrupt(), 130),
        (click.Abort(), 130),
        (ValueError("a bug"), 1),
    ],
)
def test_every_kind_of_error_has_its_exit_code(error: BaseException, code: int) -> None:
    assert exit_code(error) == code


def test_a_provider_that_does_not_answer_is_a_failure_and_no_timeout_of_ours() -> None:
    failed = RunFailed("no answer", "timeout", "r")
    failed.__cause__ = TurnFailed("no answer", ErrorClass.TIMEOUT, "t")
    failed.__cause__.__cause__ = ModelError("no answer", ErrorClass.TIMEOUT)
    assert exit_code(failed) == 1


def test_the_interrupt_is_found_in_nested_groups() -> None:
    group = BaseExceptionGroup("a", [ValueError("x"), BaseExceptionGroup("b", [KeyboardInterrupt()])])
    assert isinstance(unwrap(group), KeyboardInterrupt)


def test_an_error_of_ours_is_told_rather_than_what_it_broke() -> None:
    group = ExceptionGroup("a", [ValueError("x"), ExceptionGroup("b", [StoreError("the disk is full")])])
    assert str(unwrap(group)) == "the disk is full"


def test_an_error_is_one_line_with_its_remedy_below(capsys: pytest.CaptureFixture[str]) -> None:
    assert report(usage("FILE is missing", "name a file"), no_color=True) == 2
    assert capsys.readouterr().err == "error: FILE is missing\nhint: name a file\n"


def test_a_document_is_shown_with_place_and_caret_and_no_prefix(capsys: pytest.CaptureFixture[str]) -> None:
    finding = Diagnostic("V012", "unknown agent 'x'", "a.vega.yaml", 2, 3, 2, 4, source="- x: hi")
    assert report(DocumentError([finding])) == 2
    assert capsys.readouterr().err.startswith("error[V012]: unknown agent 'x'\n  --> a.vega.yaml:2:3\n2: - x: hi\n")


def test_tracebacks_are_for_debug_only(capsys: pytest.CaptureFixture[str]) -> None:
    assert report(ValueError("a bug"), no_color=True) == 1
    assert capsys.readouterr().err == (
        "error: internal error: ValueError: a bug\nhint: run it again with --debug to see where\n"
    )
    try:
        raise ValueError("a bug")
    except ValueError as error:
        report(error, debug=True, no_color=True)
    assert "Traceback (most recent call last)" in capsys.readouterr().err


def test_an_interrupt_says_nothing(capsys: pytest.CaptureFixture[str]) -> None:
    assert report(KeyboardInterrupt()) == 130
    assert capsys.readouterr().err == ""


def test_an_error_cannot_steer_the_terminal(capsys: pytest.CaptureFixture[str]) -> None:
    show(ConfigError("\x1b[2Jgone\x9b1m"), no_color=True)
    text = capsys.readouterr().err
    assert "\x1b" not in text
    assert "\x9b" not in text


def test_a_traceback_cannot_steer_the_terminal(capsys: pytest.CaptureFixture[str]) -> None:
    report(ValueError("\x1b[2Jgone"), debug=True, no_color=True)
    assert "\x1b" not in capsys.readouterr().err


def test_a_missing_key_names_every_way_out() -> None:
    hint = describe(RunFailed("no key", "authentication", "r"))[1]
    for way in ("ANTHROPIC_API_KEY", "~/.vega/env", "--model demo", "--model local"):
        assert way in hint


def test_a_wrong_input_is_told_with_what_the_workflow_takes() -> None:
    error = InputError("the input 'task' is missing", "V040", "task", usage="usage: vega run FILE --task TASK")
    assert describe(error) == ("the input 'task' is missing\nusage: vega run FILE --task TASK", "")
    assert describe(InputError("no", "V041")) == ("no", "")


def test_a_file_error_names_the_file() -> None:
    assert describe(FileNotFoundError(2, "No such file or directory", "x.txt")) == (
        "x.txt: No such file or directory",
        "",
    )
