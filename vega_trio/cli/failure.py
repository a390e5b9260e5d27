"""From an exception to what the user reads and the exit code: the one place that knows both."""

from __future__ import annotations

import sys
import traceback
from collections.abc import Iterator

import click

from vega_trio.cli.terminal import safe, wants_color
from vega_trio.errors import (
    ConfigError,
    DocumentError,
    InputError,
    MissingKey,
    ModelError,
    RunCancelled,
    RunFailed,
    StoreBusy,
    TurnCancelled,
    TurnFailed,
    UnknownAgent,
    UnknownWorkflow,
    VegaError,
)
from vega_trio.session import ErrorClass

FAILED, USAGE, WARNINGS, KEY, BUDGET, NO_SERVER, TIMEOUT, INTERRUPTED = 1, 2, 3, 4, 5, 6, 124, 130


class Failure(click.ClickException):
    """A command's own failure: what went wrong, what to do about it, and the exit code."""

    def __init__(self, message: str, hint: str = "", code: int = FAILED) -> None:
        super().__init__(message)
        self.hint = hint
        self.code = code


def usage(message: str, hint: str = "") -> Failure:
    """A failure of the command line itself."""
    return Failure(message, hint, USAGE)


def exit_code(error: BaseException) -> int:
    """The exit code for an exception that no group wraps."""
    match error:
        case Failure(code=code):
            return code
        case KeyboardInterrupt() | click.Abort() | RunCancelled() | TurnCancelled():
            return INTERRUPTED
        case click.ClickException():
            return error.exit_code
        case ConfigError() if isinstance(error.__cause__, OSError):
            return FAILED  # a taken port, an unreadable file: the world's refusal, not a wrong word
        case DocumentError() | ConfigError() | InputError() | UnknownAgent() | UnknownWorkflow():
            return USAGE
        case TurnFailed() | RunFailed() | ModelError():
            return _class_code(error)
        case _:
            return FAILED


def _class_code(error: TurnFailed | RunFailed | ModelError) -> int:
    match error.error_class:
        case ErrorClass.AUTHENTICATION:
            return KEY
        case ErrorClass.BUDGET_EXCEEDED:
            return BUDGET
        case ErrorClass.TIMEOUT if not any(isinstance(each, ModelError) for each in _causes(error)):
            return TIMEOUT  # a deadline of ours; a provider that does not answer is a failure like others
        case _:
            return FAILED


def _causes(error: BaseException) -> Iterator[BaseException]:
    """The exception and what led to it, outermost first."""
    at: BaseException | None = error
    seen: set[int] = set()
    while at is not None and id(at) not in seen:
        seen.add(id(at))
        yield at
        at = at.__cause__


def unwrap(error: BaseException) -> BaseException:
    """The exception that matters out of nested groups: an interrupt, else an error of ours, else the first."""
    leaves = list(_leaves(error))
    for kind in (KeyboardInterrupt, click.ClickException, VegaError):
        for leaf in leaves:
            if isinstance(leaf, kind):
                return leaf
    return leaves[0]


def _leaves(error: BaseException) -> Iterator[BaseException]:
    if isinstance(error, BaseExceptionGroup):
        for each in error.exceptions:
            yield from _leaves(each)
    else:
        yield error


def describe(error: BaseException) -> tuple[str, str]:
    """(what, remedy) for people; the remedy may be empty."""
    match error:
        case Failure(message=message, hint=hint):
            return message, hint
        case click.exceptions.NoArgsIsHelpError(ctx=ctx):
            return f"{ctx.command_path} needs a command", f"see {ctx.command_path} --help"
        case click.UsageError():
            return _usage(error)
        case click.ClickException():
            return error.format_message(), ""
        case MissingKey():
            return str(error), _KEY_HINT
        case TurnFailed() | RunFailed() | ModelError():
            return str(error), _class_hint(error)
        case InputError(usage=takes) if takes:
            return f"{error}\n{takes}", ""
        case StoreBusy():
            return str(error), "stop the other vega, or choose another database with --db"
        case VegaError():
            return str(error), ""
        case OSError():
            return _os_error(error), ""
        case _:
            return f"internal error: {type(error).__name__}: {error}", "run it again with --debug to see where"


_KEY_HINT = (
    "vega keys set anthropic, or set ANTHROPIC_API_KEY in the shell or in ~/.vega/env; "
    "--model demo and --model local need no key"
)


def _class_hint(error: TurnFailed | RunFailed | ModelError) -> str:
    match error.error_class:
        case ErrorClass.AUTHENTICATION:
            return _KEY_HINT
        case ErrorClass.BUDGET_EXCEEDED:
            return "raise the budget in the document, or start anew with a smaller task"
        case ErrorClass.RATE_LIMIT | ErrorClass.OVERLOADED:
            return "the provider asks to wait: try again later"
        case _:
            return ""


def _usage(error: click.UsageError) -> tuple[str, str]:
    what = error.message if isinstance(error, _SUGGESTING) else error.format_message()
    what = what[:1].lower() + what[1:].rstrip(".")
    close = error.possibilities if isinstance(error, _SUGGESTING) else None
    if close:
        return what, f"did you mean {close[0]!r}?"
    path = error.ctx.command_path if error.ctx is not None else "vega"
    return what, f"see {path} --help"


_SUGGESTING = (click.exceptions.NoSuchOption, click.exceptions.NoSuchCommand)


def _os_error(error: OSError) -> str:
    why = error.strerror or str(error)
    return f"{error.filename}: {why}" if error.filename is not None else why


def say(word: str, text: str, *, color: str, no_color: bool = False) -> None:
    """One `word: text` on stderr; further lines of the text are indented."""
    head = f"{word}:"
    if wants_color(sys.stderr, no_color=no_color):
        head = click.style(head, fg=color, bold=True)
    sys.stderr.write(f"{head} " + safe(text).replace("\n", "\n  ") + "\n")
    sys.stderr.flush()


def warn(text: str, *, no_color: bool = False) -> None:
    say("warning", text, color="yellow", no_color=no_color)


def show(error: BaseException, *, no_color: bool = False) -> None:
    """The error and its hint on stderr."""
    if isinstance(error, DocumentError):
        sys.stderr.write(safe(str(error)) + "\n")
        sys.stderr.flush()
        return
    what, hint = describe(error)
    say("error", what, color="red", no_color=no_color)
    if hint:
        say("hint", hint, color="cyan", no_color=no_color)


def report(error: BaseException, *, debug: bool = False, no_color: bool = False) -> int:
    """Says what went wrong and returns the exit code. The traceback is for --debug only."""
    if isinstance(error, SystemExit):
        raise error
    if debug:
        sys.stderr.write(safe("".join(traceback.format_exception(error))))
    error = unwrap(error)
    code = exit_code(error)
    if isinstance(error, BrokenPipeError):
        return code  # the reader has gone; there is nobody to tell
    if not isinstance(error, KeyboardInterrupt | click.Abort):
        show(error, no_color=no_color)
    return code
