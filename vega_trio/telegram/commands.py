"""The commands: `/word argument`. Their answers are texts."""

from __future__ import annotations

from typing import Final

from vega_trio.app.application import App
from vega_trio.errors import VegaError
from vega_trio.session import Session
from vega_trio.telegram import words
from vega_trio.telegram.allowance import Allowances
from vega_trio.telegram.inbox import Inbox

PROMPT: Final = frozenset({"agents", "stop", "status", "cost", "help", "start"})
"""What is not kept waiting by an answer under way."""


def parse_command(text: str) -> tuple[str, str]:
    """The word, in small letters and without the bot's name, and the argument; an empty word: no command."""
    if not text.startswith("/"):
        return "", ""
    word, *argument = text[1:].split(maxsplit=1) or [""]
    return word.partition("@")[0].lower() or "?", argument[0].strip() if argument else ""


async def obey(app: App, inbox: Inbox, allowances: Allowances, user: int, agent: str, text: str) -> str:
    """Does what a command says and gives the answer; `agent` is whom the user talks to."""
    session = Session(agent, str(user))
    try:
        match parse_command(text):
            case "new", _:
                await app.new_session(agent, str(user))
                return f"A new conversation with {agent}."
            case "agents", _:
                return _agents(app, agent)
            case "use", name:
                return await _use(app, inbox, user, name)
            case "stop", _:
                stopped = await app.stop_turn(session)
                return "Stopped." if stopped else "There is nothing to stop."
            case "status", _:
                return await _status(app, session)
            case "cost", _:
                return await _cost(app, allowances, user)
            case (("help" | "start"), _):
                return f"You talk to {agent}. {words.HELP}"
            case word, _:
                return f"There is no command /{word}.\n\n{words.HELP}"
    except VegaError as error:
        return words.trouble(error)


def _agents(app: App, current: str) -> str:
    lines = []
    for info in app.agents():
        name, purpose = info.agent.name, " ".join((info.agent.description or "").split())
        lines.append(f"{'→ ' if name == current else ''}{name}{': ' if purpose else ''}{purpose}")
    return "\n".join(lines)


async def _use(app: App, inbox: Inbox, user: int, name: str) -> str:
    if not name:
        return "Say whom: /use NAME. /agents lists the agents."
    chosen = app.agent(name).agent.name
    await inbox.remember(user, agent=chosen)
    return f"You talk to {chosen} now."


async def _status(app: App, session: Session) -> str:
    status = await app.chat_status(session)
    doing = "is at work" if status.streaming else "is idle"
    if status.waiting_on == "approval":
        doing = "waits for an approval"
    waiting = f" {status.queued} more wait." if status.queued else ""
    return f"{session.agent} {doing}.{waiting} Model: {app.agent(session.agent).model}."


async def _cost(app: App, allowances: Allowances, user: int) -> str:
    found = await app.costs("agent", user=str(user))
    lines = [f"You have spent {words.dollars(found.total_microusd)}."]
    lines += [f"{row.key}: {words.dollars(row.cost_microusd)}, {row.calls} calls of models" for row in found.rows]
    account = await allowances.of(user)
    if account is not None:
        spent, limit = words.dollars(account.spent_microusd), words.dollars(account.limit_microusd)
        lines.append(f"Today: {spent} of {limit}.")
    return "\n".join(lines)
