"""The local catalogue: agents to be made, skills that were found."""

from __future__ import annotations

from quart import Request, Response

from vega_trio._version import __version__
from vega_trio.app.population import KINDS, Item, Kind
from vega_trio.serve.desk import Desk, Route, body_of, json_answer
from vega_trio.serve.models.population import Installation, Installed, PopulationDetail, PopulationEntry
from vega_trio.serve.problems import bad_value


async def search(desk: Desk, request: Request) -> Response:
    """What has the words of `q`, the best first; without words all there is."""
    query = request.args.get("q", "")
    found = desk.app.population.search(query, _kind(request.args.get("kind")))
    return json_answer(desk, [_entry(each, round(score, 3) if query else None) for each, score in found])


async def installed(desk: Desk, request: Request) -> Response:
    """The agents that were made of it, and the skills that are trusted."""
    return json_answer(desk, [_entry(each, None) for each in desk.app.population.all() if each.installed])


async def info(desk: Desk, request: Request, kind: str, name: str) -> Response:
    """All there is to know of one."""
    item = desk.app.population.get(kind, name)
    shown = PopulationDetail(
        kind=item.kind,
        name=item.name,
        version=_version(item),
        description=item.description,
        tags=item.tags,
        installed=item.installed,
        definition=item.definition,
        origin=item.origin,
    )
    return json_answer(desk, shown)


async def install(desk: Desk, request: Request) -> Response:
    """Makes the agent of a template."""
    body = await body_of(desk, request, Installation)
    item = await desk.app.population.install(body.kind, body.name)
    return json_answer(desk, Installed(status="installed", name=item.name), 201)


def _kind(text: str | None) -> Kind | None:
    for kind in KINDS:
        if text == kind:
            return kind
    if text:
        raise bad_value("kind", f"'kind' must be {' or '.join(KINDS)}, not {text[:40]!r}")
    return None


def _entry(item: Item, score: float | None) -> PopulationEntry:
    return PopulationEntry(
        kind=item.kind,
        name=item.name,
        version=_version(item),
        description=item.description,
        tags=item.tags,
        score=score,
        installed=item.installed,
    )


def _version(item: Item) -> str | None:
    """Templates come with vega; a skill has no version."""
    return __version__ if item.kind == "agent" else None


ROUTES = (
    Route("GET", "/api/population/search", search, answer=list[PopulationEntry], query=("q", "kind")),
    Route("GET", "/api/population/installed", installed, answer=list[PopulationEntry]),
    Route("GET", "/api/population/info/<kind>/<name>", info, answer=PopulationDetail),
    Route("POST", "/api/population/install", install, body=Installation, answer=Installed, status=201),
)
