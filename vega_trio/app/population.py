"""The local catalogue: agents that are ready to be made, and the skills that were found. Nothing is fetched."""

from __future__ import annotations

import re
from collections.abc import Mapping
from types import MappingProxyType
from typing import Any, Final, Literal

import attrs

from vega_trio.app.agents import Workshop
from vega_trio.app.compose import Composer
from vega_trio.errors import Conflict, UnknownItem, did_you_mean

Kind = Literal["agent", "skill"]
KINDS: Final[tuple[Kind, ...]] = ("agent", "skill")


@attrs.frozen(kw_only=True)
class Item:
    """Something of the catalogue. `definition` is what an agent is made of; `origin` the file of a skill."""

    kind: Kind
    name: str
    description: str
    tags: tuple[str, ...] = ()
    installed: bool = False
    definition: Mapping[str, Any] = attrs.field(factory=dict)
    origin: str = ""


@attrs.frozen
class _Template:
    description: str
    system: str
    tags: tuple[str, ...]
    tools: tuple[str, ...] = ()

    def keys(self) -> dict[str, Any]:
        keys: dict[str, Any] = {"description": self.description, "system": self.system}
        return keys | ({"tools": list(self.tools)} if self.tools else {})


TEMPLATES: Final[Mapping[str, _Template]] = MappingProxyType(
    {
        "researcher": _Template(
            "Finds things out and says where it read them.",
            "You find things out. Search, read the sources, compare them, and answer with what they say and where. "
            "Say so when they disagree, or when you found nothing.",
            ("research", "web", "sources"),
            ("web_search", "http_get"),
        ),
        "writer": _Template(
            "Writes clear texts for a given reader.",
            "You write clear texts. Ask yourself who reads them and what for; put the point first; leave out what "
            "the reader does not need.",
            ("writing", "text"),
        ),
        "editor": _Template(
            "Corrects and shortens texts, and says why.",
            "You edit texts. Give the corrected text first, then the changes that matter, each with its reason.",
            ("writing", "review", "text"),
        ),
        "reviewer": _Template(
            "Reads code and names its faults, the worst first.",
            "You review code. Name what is wrong, the most serious first, with the line and a remedy. Say so when "
            "there is nothing to mend.",
            ("code", "review"),
            ("read_file", "list_files"),
        ),
        "coder": _Template(
            "Writes and changes code in the workspace.",
            "You write code. Read what is there before you change it, make the smallest change that does the job, "
            "and say what you did not try.",
            ("code", "files"),
            ("read_file", "write_file", "edit_file", "list_files"),
        ),
        "planner": _Template(
            "Takes a goal apart into steps that can be checked.",
            "You plan. Take the goal apart into steps, each with its result and how to tell that it is reached; name "
            "what is unknown and what could go wrong.",
            ("planning", "tasks"),
        ),
        "analyst": _Template(
            "Answers questions about tables and figures in files.",
            "You answer questions about data. Look at the files first, show the figures that your answer rests on, "
            "and name what the data cannot tell.",
            ("data", "analysis", "files"),
            ("read_file", "list_files"),
        ),
    }
)


@attrs.frozen(eq=False)
class Population:
    """`app.population`."""

    workshop: Workshop
    composer: Composer

    def all(self, kind: Kind | None = None) -> list[Item]:
        """Agents first, each kind by name."""
        agents = [self._agent(name, each) for name, each in sorted(TEMPLATES.items())]
        skills = [
            Item(
                kind="skill",
                name=each.name,
                description=each.description,
                tags=each.tags,
                installed=each.trusted,
                origin=str(each.path),
            )
            for each in self.workshop.skills.all
        ]
        return [each for each in (*agents, *skills) if kind in (None, each.kind)]

    def search(self, query: str, kind: Kind | None = None) -> list[tuple[Item, float]]:
        """What has at least one of the words, with the part of them that it has, the best first."""
        words = set(re.findall(r"\w+", query.casefold()))
        if not words:
            return [(each, 1.0) for each in self.all(kind)]
        scored = [(each, len(words & _words(each)) / len(words)) for each in self.all(kind)]
        return sorted(((each, score) for each, score in scored if score), key=lambda pair: -pair[1])

    def get(self, kind: str, name: str) -> Item:
        """Raises: UnknownItem."""
        known = {each.name: each for each in self.all() if each.kind == kind}
        if name not in known:
            raise UnknownItem(f"the catalogue has no {kind[:40]} {name[:100]!r}{did_you_mean(name, known)}")
        return known[name]

    async def install(self, kind: str, name: str) -> Item:
        """Makes the agent. Raises: UnknownItem; AgentExists; Conflict for a skill, which somebody has to look at."""
        item = self.get(kind, name)
        if item.kind == "skill":
            remedy = "it is there already" if item.installed else "look at it, then: vega skills check --trust"
            raise Conflict(f"the skill {name!r} is not installed from here; {remedy}")
        await self.composer.create(name, item.definition)
        return self.get(kind, name)

    def _agent(self, name: str, template: _Template) -> Item:
        installed = bool(self.composer.keys(name))
        return Item(
            kind="agent",
            name=name,
            description=template.description,
            tags=template.tags,
            installed=installed,
            definition=template.keys(),
        )


def _words(item: Item) -> set[str]:
    return set(re.findall(r"\w+", " ".join((item.name, item.description, *item.tags)).casefold()))
