"""Prompts that hold the skills which a message calls for."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import attrs
from attrs import validators

from vega_trio.context import ToolContext
from vega_trio.errors import ToolRetry, did_you_mean
from vega_trio.protocols import Tool, ToolSpec
from vega_trio.skills.library import load_library
from vega_trio.skills.skill import Skill

LOAD_SKILL = "load_skill"


def _names(given: Iterable[str]) -> tuple[str, ...]:
    if isinstance(given, str):
        raise ValueError(f"include and exclude are lists of names, not the text {given!r}")
    return tuple(given)


def _directories(given: Iterable[str | Path]) -> tuple[Path, ...]:
    if isinstance(given, str | Path):
        raise ValueError(f"directories must be a list, not {given!r}; write [{str(given)!r}]")
    return tuple(Path(each).expanduser() for each in given)


@attrs.frozen
class SkillsPrompt:
    """A prompt for `Agent(system=...)`, and the skills that may join it: those that fit a message best.

    The skills are those of `directories`, read when this is made, and trusted, as the program names them; `include`
    and `exclude` are globs over their names. At most `max_active` join. Skills without triggers are listed, and read
    with the tool `load_skill` when the model wants them. `vega skills check` says what is wrong with a file.
    """

    text: str
    directories: tuple[Path, ...] = attrs.field(default=(), converter=_directories, kw_only=True)
    include: tuple[str, ...] = attrs.field(default=(), converter=_names, kw_only=True)
    exclude: tuple[str, ...] = attrs.field(default=(), converter=_names, kw_only=True)
    max_active: int = attrs.field(default=3, validator=validators.ge(0), kw_only=True)
    skills: tuple[Skill, ...] = attrs.field(kw_only=True, repr=False)

    @skills.default
    def _load(self) -> tuple[Skill, ...]:
        return load_library(self.directories).chosen(self.include, self.exclude)

    def prompt(self, message: str) -> str:
        """The prompt for a turn that begins with the message."""
        return "\n\n".join(part for part in (self.text, self._offer(), self._active(message)) if part)

    @property
    def tools(self) -> tuple[Tool, ...]:
        """What an agent with this prompt has besides its own tools."""
        loadable = [each for each in self.skills if each.files or not each.triggers]
        return (LoadSkill({each.name: each for each in loadable}),) if loadable else ()

    @property
    def offered(self) -> tuple[Skill, ...]:
        """Those without triggers, by name."""
        return tuple(sorted((each for each in self.skills if not each.triggers), key=lambda each: each.name))

    def active(self, message: str) -> list[Skill]:
        """The skills that fit, the best first, ties by name."""
        scored = [(score, each) for each in self.skills if (score := each.score(message)) > 0]
        ranked = sorted(scored, key=lambda pair: (-pair[0], pair[1].name))
        return [each for _, each in ranked[: self.max_active]]

    def _active(self, message: str) -> str:
        parts = [f"## {each.name}\n\n{whole(each)}" for each in self.active(message)]
        return "\n\n".join(["# Active Skills", *parts]) if parts else ""

    def _offer(self) -> str:
        lines = [f"- {each.name}: {each.description}" for each in self.offered]
        if not lines:
            return ""
        return "\n".join(["# Skills", "", f"Read one with {LOAD_SKILL} before you do what it is for:", *lines])


def whole(skill: Skill) -> str:
    """The body and, where there are files beside it, what they are called."""
    if not skill.files:
        return skill.body
    listed = [f"- {name}" for name in skill.files]
    return "\n".join([skill.body, "", f"Its files, to be read with {LOAD_SKILL}:", *listed])


@attrs.frozen
class LoadSkill:
    """The tool that reads a skill, or one of its files."""

    skills: Mapping[str, Skill]

    @property
    def spec(self) -> ToolSpec:
        name = {"type": "string", "description": "The skill's name, as it is listed."}
        file = {"type": "string", "description": "One of the skill's files, as it is listed; else the skill itself."}
        parameters = {"type": "object", "properties": {"name": name, "file": file}, "required": ["name"]}
        return ToolSpec(
            name=LOAD_SKILL,
            description="Reads a skill, which is instructions for a kind of task, or a file of it.",
            parameters={**parameters, "additionalProperties": False},
            idempotent=True,
            approval="never",
        )

    async def call(self, arguments: Mapping[str, Any], context: ToolContext) -> str:
        """Raises: ToolRetry for a skill or a file that there is not."""
        name, file = arguments.get("name"), arguments.get("file")
        if unknown := sorted(arguments.keys() - {"name", "file"}):
            raise ToolRetry(f"unknown argument {unknown[0]!r}; there are: name, file")
        skill = self.skills.get(name) if isinstance(name, str) else None
        if skill is None:
            raise ToolRetry(f"there is no skill {name!r}{did_you_mean(str(name), self.skills)}")
        if file is None:
            return whole(skill)
        text = skill.files.get(file) if isinstance(file, str) else None
        if text is None:
            raise ToolRetry(f"the skill {name!r} has no file {file!r}{did_you_mean(str(file), skill.files)}")
        return text
