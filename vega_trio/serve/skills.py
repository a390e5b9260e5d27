"""What agents can have: skills and tools, with where they come from and who has them."""

from __future__ import annotations

from quart import Request, Response

from vega_trio.serve.desk import Desk, Route, json_answer
from vega_trio.serve.models.skills import SkillEntry, ToolDescription


async def skills(desk: Desk, request: Request) -> Response:
    """Every skill that was found, by name."""
    holders = desk.app.skill_holders()
    shown = [
        SkillEntry(
            name=each.name,
            description=each.description,
            origin=str(each.path),
            agents=tuple(holders.get(each.name, ())),
            tags=each.tags,
            tools=each.tools,
            trusted=each.trusted,
        )
        for each in desk.app.skills.all
    ]
    return json_answer(desk, shown)


async def tools(desk: Desk, request: Request) -> Response:
    """Every tool that agents may name, by name."""
    shown = [
        ToolDescription(
            name=each.name,
            description=each.description,
            origin=each.origin,
            agents=each.agents,
            effects=tuple(sorted(each.effects)),
            approval=each.approval,
        )
        for each in desk.app.tools()
    ]
    return json_answer(desk, shown)


ROUTES = (
    Route("GET", "/api/skills", skills, answer=list[SkillEntry]),
    Route("GET", "/api/tools", tools, answer=list[ToolDescription]),
)
