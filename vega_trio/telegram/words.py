"""What the bot says: errors in plain words, and the figures of the commands."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any, Final

from vega_trio.errors import MailboxFull, StoreError, UnknownAgent, UnknownSession, VegaError
from vega_trio.session import ErrorClass
from vega_trio.telegram.splitting import clean

HELP: Final = """Write to me, and the agent answers. Commands:
/new begins a new conversation
/agents lists the agents
/use NAME talks to another agent
/stop stops the answer under way
/status says what goes on
/cost says what you have spent
/help shows this"""

WELCOME: Final = "You are paired with this bot. Write something, or see /help."
TEXT_ONLY: Final = "I can read text only."
TOO_LONG: Final = "That message is too long for me."
TOO_MANY: Final = "Too many of your messages wait for an answer; this one was not taken. Send it again later."
SILENT: Final = "(The agent said nothing.)"
WORKING: Final = "…"
STOPPED: Final = "(stopped)"
LOST: Final = "The agent broke down and could not be brought back. Try again, or begin anew with /new."
GIVEN_UP: Final = "Something of this message breaks me, so I have to leave it unanswered. The server's log says more."
ARGUMENTS_SHOWN: Final = 2000

_FAILURES: Final[Mapping[str, str]] = {
    ErrorClass.RATE_LIMIT: "The model has too much to do. Try again in a minute.",
    ErrorClass.OVERLOADED: "The model has too much to do. Try again in a minute.",
    ErrorClass.TIMEOUT: "The model did not answer in time. Try again.",
    ErrorClass.TEMPORARY: "The model cannot be reached. Try again in a minute.",
    ErrorClass.AUTHENTICATION: "The model refused the server's key, or there is none. Its owner has to set it.",
    ErrorClass.INVALID_REQUEST: "The model did not understand the request. The server's log says more.",
    ErrorClass.BUDGET_EXCEEDED: "The budget is spent: /cost says more. The server's owner can raise it.",
    ErrorClass.CONTEXT_OVERFLOW: "This conversation has become too long. Begin a new one with /new.",
    ErrorClass.REFUSAL: "The model declined to answer.",
    ErrorClass.LIMIT_EXCEEDED: "The agent went round in circles and was stopped.",
    ErrorClass.FORMAT_ERROR: "The model's answer did not have the form that was asked for.",
    ErrorClass.INTERRUPTED: "The answer was interrupted twice and given up. Try again.",
}


def failure(error_class: str) -> str:
    """Why a turn failed."""
    return _FAILURES.get(error_class, "The turn failed. The server's log says more.")


def trouble(error: VegaError) -> str:
    """Why a message was not taken up."""
    match error:
        case MailboxFull():
            return "The agent has too many messages waiting. Try again later."
        case StoreError():
            return "The server cannot write anything down at the moment. Try again later."
        case UnknownAgent():
            return f"{clean(str(error))}. /agents lists the agents, /use NAME chooses one."
        case UnknownSession():
            return "This conversation was deleted. Begin a new one with /new."
        case _:
            return f"That did not work: {clean(str(error))}"


def refusal(user: int) -> str:
    return (
        f"This bot is private. Your id is {user}: its owner can allow it. "
        "Or send the pairing code that stands in the server's log."
    )


def question(agent: str, tool: str, arguments: Mapping[str, Any], reason: str) -> str:
    """Asks for an approval."""
    shown = json.dumps(dict(arguments), ensure_ascii=False, indent=1, default=str)
    if len(shown) > ARGUMENTS_SHOWN:
        shown = f"{shown[:ARGUMENTS_SHOWN]}… (cut: see the dashboard for all of it)"
    return clean(f"{agent} asks for your approval of {tool}\n{shown}\n{reason}".strip())


def dollars(microusd: int) -> str:
    return f"${microusd / 1_000_000:.4f}"
