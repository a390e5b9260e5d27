"""Hermes takes any goal to whoever can reach it, asks Mother for those who are missing, and brings back the result."""

from __future__ import annotations

from functools import partial

from vega_trio._core.codec import encode_json
from vega_trio.agent import Agent
from vega_trio.context import ToolContext
from vega_trio.errors import (
    MailboxFull,
    ProcessExited,
    ToolError,
    TurnCancelled,
    TurnFailed,
    VegaError,
    did_you_mean,
)
from vega_trio.meta.catalog import AgentCatalog, Known
from vega_trio.meta.mother import NAME as MOTHER
from vega_trio.supervision import Supervision
from vega_trio.tools.toolbox import as_tool, tool

NAME = "hermes"
DESCRIPTION = "Takes any goal: finds the agents for it, hands them the work and brings back the result."
SYSTEM = f"""You are Hermes. People bring you goals, and you find those who reach them.

Look at who is there with list_agents. Hand each piece of work to the agent whose purpose it is, with send_to_agent, and
say everything that agent has to know, since it has not heard this conversation. Calls in one reply run side by side:
send at once what does not wait for anything. When nobody is there for a piece of work, ask {MOTHER} for an agent, and
then send the work to it. You do not do the work yourself: you put together what comes back, check that it answers what
was asked, and hand over one finished result that says who did what where that matters. If somebody fails, say so, and
try another way."""


def hermes(catalog: AgentCatalog) -> Agent:
    """His blueprint, with the tools that nobody else has."""
    return Agent(
        name=NAME,
        display_name="Hermes",
        description=DESCRIPTION,
        system=SYSTEM,
        tools=(
            as_tool(tool(idempotent=True)(partial(list_agents, catalog))),
            as_tool(tool(timeout=None)(partial(send_to_agent, catalog))),
        ),
        supervision=Supervision(),
    )


async def list_agents(catalog: AgentCatalog) -> str:
    """List the agents there are, with their purposes."""
    return encode_json([{"name": each.name, "purpose": each.purpose} for each in _others(catalog)]).decode()


async def send_to_agent(catalog: AgentCatalog, context: ToolContext, agent: str, message: str) -> str:
    """Send a message to an agent and get its answer. Several calls at once are worked on side by side.

    Args:
        agent: its name, from list_agents
        message: what it is to do, with everything it has to know
    """
    names = [each.name for each in _others(catalog)]
    if agent not in names:
        raise ToolError(f"there is no agent {agent!r} to send to{did_you_mean(agent, names)}")
    try:
        return await context.ask(agent, message)
    except TurnCancelled as error:
        raise ToolError(f"{agent!r} was stopped before it had an answer") from error
    except (TurnFailed, ProcessExited, MailboxFull) as error:
        raise ToolError(f"{agent!r} could not answer: {error}") from error
    except VegaError as error:
        raise ToolError(str(error)) from error


def _others(catalog: AgentCatalog) -> list[Known]:
    return [each for each in catalog.agents() if each.name != NAME]
