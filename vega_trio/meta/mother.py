"""Mother designs teams: she makes, changes and deletes agents, by the rules of documents."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from typing import Any

import attrs

from vega_trio._core.codec import encode_json
from vega_trio.agent import Agent
from vega_trio.context import ToolContext
from vega_trio.engine.conversation import Conversation
from vega_trio.errors import DocumentError, ToolError, VegaError
from vega_trio.meta.catalog import AgentCatalog
from vega_trio.protocols import Tool
from vega_trio.runtime.process import Process
from vega_trio.supervision import Supervision
from vega_trio.tools.toolbox import as_tool, tool

NAME = "mother"
DESCRIPTION = "Designs teams: creates, changes and deletes agents."
SYSTEM = """You are Mother. You design teams of agents and bring them to life.

When somebody needs work done, think of who would do it: a few agents, each with one clear purpose, and, where more than
one is needed, a leader whose team they are. Before you create anybody, look at who is there (list_agents) and at what
they can be given (list_available_tools, list_available_skills, list_mcp_registry). Give an agent the tools that its
purpose needs and no others. Write system prompts that say what the agent is for, how it works and what it hands back.

Names are short and say what the agent does. A name that is taken is never replaced: update that agent, or choose
another name. Agents that a document defines change in their document only; tell people so. When you are done, say who
there is now and what to ask whom."""


def mother(catalog: AgentCatalog) -> Agent:
    """Her blueprint, with the tools that nobody else has."""
    return Agent(
        name=NAME,
        display_name="Mother",
        description=DESCRIPTION,
        system=SYSTEM,
        tools=mother_tools(catalog),
        supervision=Supervision(),
    )


def mother_tools(catalog: AgentCatalog) -> tuple[Tool, ...]:
    grants = partial(_granting, catalog)
    changing = (_made(create_agent, catalog, grants), _made(update_agent, catalog, grants))
    reading = (list_agents, list_available_tools, list_available_skills, list_mcp_registry)
    return (*changing, _made(delete_agent, catalog), *(_made(each, catalog, idempotent=True) for each in reading))


def _made(
    function: Callable[..., Any],
    catalog: AgentCatalog,
    asks: Callable[[Mapping[str, Any]], str] | None = None,
    *,
    idempotent: bool = False,
) -> Tool:
    return as_tool(tool(idempotent=idempotent, asks=asks)(partial(function, catalog)))


def _granting(catalog: AgentCatalog, arguments: Mapping[str, Any]) -> str:
    """Why a person is asked before an agent gets these tools and files; empty when nobody is."""
    reasons = {
        "tools that run programs": catalog.running_code(_texts(arguments.get("tools"))),
        "files from outside the sandbox": catalog.outside(_texts(arguments.get("knowledge"))),
    }
    given = [f"{what}: {', '.join(names)}" for what, names in reasons.items() if names]
    return f"it gives an agent {'; '.join(given)}" if given else ""


def _texts(given: object) -> list[str]:
    return [each for each in given if isinstance(each, str)] if isinstance(given, list) else []


async def create_agent(
    catalog: AgentCatalog,
    context: ToolContext,
    name: str,
    system: str,
    description: str | None = None,
    model: str | None = None,
    tools: list[str] | None = None,
    team: list[str] | None = None,
    knowledge: list[str] | None = None,
    skills_dirs: list[str] | None = None,
    budget: str | None = None,
) -> str:
    """Create an agent. It can be talked to at once, and is kept.

    Args:
        name: short, and not taken
        system: its system prompt: what it is for, how it works, what it hands back
        description: its purpose in one line, for other agents and for people
        model: provider:name; the default model if left out
        tools: names from list_available_tools
        team: names of agents that it may delegate to
        knowledge: paths of files that it has read
        skills_dirs: directories of skills
        budget: the most that it may spend, such as $0.50
    """
    keys = _keys(
        system=system,
        description=description,
        model=model,
        tools=tools,
        team=team,
        knowledge=knowledge,
        skills_dirs=skills_dirs,
        budget=budget,
    )
    await _do(catalog.create(name, keys, _seen(context)))
    return f"created {name}"


async def update_agent(
    catalog: AgentCatalog,
    context: ToolContext,
    name: str,
    system: str | None = None,
    description: str | None = None,
    model: str | None = None,
    tools: list[str] | None = None,
    team: list[str] | None = None,
    knowledge: list[str] | None = None,
    skills_dirs: list[str] | None = None,
    budget: str | None = None,
) -> str:
    """Change an agent: what is given replaces what it had, the rest stays, and so do its conversations.

    Args:
        name: who is to change
        system: its new system prompt
        description: its purpose in one line
        model: provider:name
        tools: all the tools that it has from now on; an empty list takes them away
        team: all who it may delegate to from now on; an empty list dissolves the team
        knowledge: all its files from now on; an empty list for none
        skills_dirs: all its directories of skills from now on; an empty list for none
        budget: the most that it may spend, such as $0.50
    """
    changes = _keys(
        system=system,
        description=description,
        model=model,
        tools=tools,
        team=team,
        knowledge=knowledge,
        skills_dirs=skills_dirs,
        budget=budget,
    )
    if not changes:
        raise ToolError(f"say what is to change about {name!r}: nothing was given")
    await _do(catalog.update(name, changes, _seen(context)))
    return f"updated {name}: {', '.join(changes)}"


async def delete_agent(catalog: AgentCatalog, name: str) -> str:
    """Delete an agent for good. Its work ends.

    Args:
        name: who is to go
    """
    await _do(catalog.delete(name))
    return f"deleted {name}"


async def list_agents(catalog: AgentCatalog) -> str:
    """List the agents there are, with model, tools, team and purpose."""
    return encode_json([attrs.asdict(each) for each in catalog.agents()]).decode()


async def list_available_tools(catalog: AgentCatalog) -> str:
    """List the tools that an agent can be given."""
    return encode_json(list(catalog.tools())).decode()


async def list_available_skills(catalog: AgentCatalog) -> str:
    """List the skills that agents can have."""
    return encode_json(list(catalog.skills())).decode()


async def list_mcp_registry(catalog: AgentCatalog) -> str:
    """List the MCP servers that people can connect, with the variables that each needs."""
    return encode_json(list(catalog.mcp_registry())).decode()


def _keys(*, skills_dirs: list[str] | None, **given: Any) -> dict[str, Any]:
    """What was given, as the keys of a document."""
    keys = {key: value for key, value in given.items() if value is not None}
    if skills_dirs is not None:
        keys["skills"] = {"directories": skills_dirs} if skills_dirs else None
    return keys


def _seen(context: ToolContext) -> frozenset[str]:
    assert isinstance(context.process, Process)
    assert isinstance(context.process.conversation, Conversation)
    return context.process.conversation.seen()


async def _do(change: Any) -> None:
    """Raises: ToolError, for the model to read, where the change is refused."""
    try:
        await change
    except DocumentError as error:
        # Where it stands in a text that she has never seen would only mislead her.
        found = [f"{each.message}; {each.hint}" if each.hint else each.message for each in error.diagnostics]
        raise ToolError("\n".join(found)) from error
    except VegaError as error:
        raise ToolError(str(error)) from error
