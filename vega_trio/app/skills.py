"""The skills of an application: where they lie, who may use which, and what somebody has looked at.

What lies in the project is the author's. A skill outside it, such as one in the home that was fetched from somewhere,
is text that could tell an agent anything: it is not used before `vega skills check --trust` has recorded its very
content, or `settings.skills.trust` names its directory.
"""

from __future__ import annotations

import json
import logging
import os
from collections.abc import Iterable, Mapping
from functools import partial
from pathlib import Path
from typing import Final

import attrs

from vega_trio.dsl.builtin import BUILTIN_NAME
from vega_trio.dsl.document import AgentDefinition, Document, SkillsDefinition
from vega_trio.errors import ConfigError
from vega_trio.skills.library import Library, Problem, Trust, load_library
from vega_trio.skills.prompt import SkillsPrompt
from vega_trio.skills.skill import Skill

__all__ = ["Library", "Problem", "Skill", "Skills", "open_skills", "record_trust", "skills_in"]

log = logging.getLogger("vega_trio.skills")

TRUSTED: Final = "trusted-skills.json"
"""In the home: the digests of skills that somebody has looked at, by path."""
IN_PROJECT: Final = (".vega/skills", ".agents/skills", ".claude/skills")


@attrs.define
class Skills:
    """What was found for a document: for all its agents, and for each that has directories of its own.

    `common` are the directories for all, below whatever an agent names; `base` is what paths are relative to.
    """

    base: Path
    common: tuple[Path, ...]
    trust: Trust
    shared: Library
    by_agent: dict[str, Library] = attrs.field(factory=dict, init=False)

    def prompt(self, definition: AgentDefinition, system: str) -> str | SkillsPrompt:
        """An agent's prompt, with the skills that may join it if there are any."""
        said = definition.skills or SkillsDefinition()
        library = self.shared
        if said.directories:
            own = (_place(each, self.base) for each in said.directories)
            library = self.by_agent[definition.name] = load_library((*own, *self.common), self.trust)
            _log(library)
        chosen = library.chosen(said.include, said.exclude)
        return SkillsPrompt(system, skills=chosen, max_active=said.max_active) if chosen else system

    @property
    def all(self) -> list[Skill]:
        """Every skill, each once, by name."""
        found = {each.path: each for library in (self.shared, *self.by_agent.values()) for each in library.skills}
        return sorted(found.values(), key=lambda each: (each.name, str(each.path)))

    @property
    def problems(self) -> list[Problem]:
        libraries = (self.shared, *self.by_agent.values())
        return list(dict.fromkeys(each for library in libraries for each in library.problems))


def open_skills(document: Document, base: Path, home: Path) -> Skills:
    """Reads the skills of a document whose paths are relative to `base`. Files that are none are logged."""
    settings = document.settings
    project = None if document.file == BUILTIN_NAME else base
    trusting = [_place(each, base) for each in settings.skills_trust]
    trust = partial(_trusted, project=project, home=home, directories=trusting, digests=_recorded(home))
    common = [_place(each, base) for each in settings.skills_directories]
    common += [base / each for each in IN_PROJECT] if project is not None else []
    common.append(home / "skills")
    shared = load_library(common, trust)
    _log(shared)
    return Skills(base, tuple(common), trust, shared)


def skills_in(directory: Path, home: Path) -> Skills:
    """The skills of one directory, which is nobody's project. Raises: ConfigError for a broken record of trust."""
    trust = partial(_trusted, project=None, home=home, directories=(), digests=_recorded(home))
    return Skills(directory, (directory,), trust, load_library([directory], trust))


def _log(library: Library) -> None:
    for problem in library.problems:
        log.warning("skill left out: %s", problem)
    for skill in library.skills:
        if not skill.trusted:
            remedy = "look at it, then: vega skills check --trust"
            log.warning("skill %r is not trusted and not used: %s; %s", skill.name, skill.path, remedy)


def _place(directory: str, base: Path) -> Path:
    return base / Path(directory).expanduser()


def _trusted(
    skill: Skill, *, project: Path | None, home: Path, directories: Iterable[Path], digests: Mapping[str, str]
) -> bool:
    """By where the file really lies, or by what is in it. The home is nobody's project, even where it lies in one."""
    real = skill.path.resolve()
    if digests.get(str(real)) == skill.digest or any(real.is_relative_to(each.resolve()) for each in directories):
        return True
    fetched = real.is_relative_to((home / "skills").resolve())
    return project is not None and not fetched and real.is_relative_to(project.resolve())


def _recorded(home: Path) -> dict[str, str]:
    path = home / TRUSTED
    try:
        found = json.loads(path.read_bytes())
    except FileNotFoundError:
        return {}
    except (OSError, ValueError) as error:
        raise ConfigError(f"{path} cannot be read: {error}; remove it, and run vega skills check --trust") from error
    if not isinstance(found, dict):
        raise ConfigError(f"{path} is no JSON object; remove it, and run vega skills check --trust")
    return {str(name): str(digest) for name, digest in found.items()}


def record_trust(skills: Iterable[Skill], home: Path) -> int:
    """Records that somebody has looked at these skills as they are now. Returns how many were new.

    Raises: ConfigError when the record cannot be read, OSError when it cannot be written.
    """
    known = _recorded(home)
    news = {str(each.path.resolve()): each.digest for each in skills if not each.trusted}
    if news:
        home.mkdir(parents=True, exist_ok=True, mode=0o700)
        path, unfinished = home / TRUSTED, home / f"{TRUSTED}.new"
        with os.fdopen(os.open(unfinished, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w") as file:
            json.dump({**known, **news}, file, indent=1)
        unfinished.replace(path)
    return len(news)
