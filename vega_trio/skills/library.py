"""Where skills are found: directories in the order of their rank, the first of a name counting.

Of a directory count its `NAME.skill.md`, its `skill.md`, and the `DIR/SKILL.md` below it with the files beside it. What
cannot be read is reported and left out.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Final

import attrs

from vega_trio.skills.folder import read_folder, whole_digest
from vega_trio.skills.parse import MAX_BYTES, BadSkill, parse_skill
from vega_trio.skills.skill import Skill

MAX_FILES: Final = 1000  # of one directory

Trust = Callable[[Skill], bool]


@attrs.frozen
class Problem:
    """A file or directory that is left out, and why."""

    path: Path
    message: str

    def __str__(self) -> str:
        return f"{self.path}: {self.message}"


@attrs.frozen
class Library:
    """The skills that were found, by name, and what was wrong with others."""

    skills: tuple[Skill, ...] = ()
    problems: tuple[Problem, ...] = ()

    def chosen(self, include: Iterable[str] = (), exclude: Iterable[str] = ()) -> tuple[Skill, ...]:
        """Those of the names, which are globs; what is excluded is out. Untrusted ones are never among them."""
        wanted, unwanted = tuple(include) or ("*",), tuple(exclude)
        return tuple(
            each for each in self.skills if each.trusted and _fits(each.name, wanted) and not _fits(each.name, unwanted)
        )


def _fits(name: str, globs: Iterable[str]) -> bool:
    return any(fnmatchcase(name, glob) for glob in globs)


def load_library(directories: Iterable[Path], trust: Trust = lambda skill: True) -> Library:
    """Reads the directories; one that does not exist is empty. Blocking, and quick."""
    asked = tuple(dict.fromkeys(directories))
    found: dict[str, Skill] = {}
    problems: list[Problem] = []
    for path in (path for directory in asked for path in _files(directory, problems)):
        try:
            skill = parse_skill(_read(path), path)
        except BadSkill as error:
            problems.append(Problem(path, str(error)))
            continue
        if skill.name in found:
            if found[skill.name].path.resolve() != path.resolve():
                first = found[skill.name].path
                problems.append(Problem(path, f"there is a skill {skill.name!r} already, which counts: {first}"))
            continue
        if path.name == "SKILL.md" and path.parent not in asked:
            files, left_out = read_folder(path.parent)
            skill = attrs.evolve(skill, files=files, digest=whole_digest(skill.digest, files))
            problems += [Problem(path, message) for message in left_out]
        found[skill.name] = attrs.evolve(skill, trusted=trust(skill))
    return Library(tuple(found.values()), tuple(problems))


def _files(directory: Path, problems: list[Problem]) -> list[Path]:
    """The skill files of a directory, in the order of their names."""
    try:
        names = sorted(directory.iterdir())
    except (FileNotFoundError, NotADirectoryError):
        return []
    except OSError as error:
        problems.append(Problem(directory, f"it cannot be read: {error.strerror}"))
        return []
    files = [path for path in names if path.name.endswith(".skill.md") or path.name.lower() == "skill.md"]
    files += [path / "SKILL.md" for path in names if _is_file(path / "SKILL.md", problems)]
    if len(files) > MAX_FILES:
        problems.append(Problem(directory, f"it holds {len(files):,} skills; the first {MAX_FILES:,} count"))
    return [path for path in files[:MAX_FILES] if _is_file(path, problems)]


def _is_file(path: Path, problems: list[Problem]) -> bool:
    try:
        return path.is_file()
    except OSError as error:  # of a directory that we may not enter
        problems.append(Problem(path, f"it cannot be read: {error.strerror}"))
        return False


def _read(path: Path) -> bytes:
    try:
        with path.open("rb") as file:
            return file.read(MAX_BYTES + 1)
    except OSError as error:
        raise BadSkill(f"it cannot be read: {error.strerror}") from error
