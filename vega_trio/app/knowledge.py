"""What agents know from files and resources: read when the application opens, put before their system prompt."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from itertools import takewhile
from pathlib import Path

from vega_trio.dsl.document import AgentDefinition
from vega_trio.errors import ConfigError

MAX_BYTES = 1024 * 1024  # of one agent; a model's context holds less than that
_MARKS = frozenset("*?[")


def resources_of(definitions: Iterable[AgentDefinition]) -> list[str]:
    """The entries that are resources of MCP servers, `server://...`, each once."""
    entries = (each for definition in definitions for each in definition.knowledge)
    return list(dict.fromkeys(each for each in entries if is_resource(each)))


def is_resource(entry: str) -> bool:
    return "://" in entry and not entry.startswith("file://")


def informed_system(definition: AgentDefinition, base: Path, resources: Mapping[str, str]) -> str:
    """The agent's system prompt, what it knows before it. `base` is what its paths are relative to.

    `resources` are the texts of those that were read. Raises: ConfigError for a file that cannot be read, is no text or
    makes too much, and for a resource that was not read.
    """
    texts: dict[str, str] = {}
    for entry in definition.knowledge:
        if is_resource(entry):
            texts[entry] = _resource(definition.name, entry, resources)
        else:
            texts |= {_shown(path, base): _read(definition.name, path) for path in _files(entry, base)}
    size = sum(len(text.encode()) for text in texts.values())
    if size > MAX_BYTES:
        raise ConfigError(
            f"the knowledge of agent {definition.name!r} has {size:,} bytes, which is more than {MAX_BYTES:,}; "
            "name fewer files"
        )
    if not texts:
        return definition.system
    known = "\n\n".join(_fenced(name, text) for name, text in texts.items())
    return f"<knowledge>\n{known}\n</knowledge>\n\n{definition.system}"


def _resource(agent: str, entry: str, resources: Mapping[str, str]) -> str:
    if entry not in resources:
        raise ConfigError(
            f"agent {agent!r} knows {entry!r}; resources are read when the document is opened, for its own agents"
        )
    return resources[entry]


def _files(pattern: str, base: Path) -> list[Path]:
    """The files of an entry, sorted; a pattern may match none yet."""
    name = pattern.removeprefix("file://")
    if not _MARKS & set(name):
        return [base / name]
    if name.startswith("/"):
        return sorted(path for path in Path("/").glob(name.lstrip("/")) if path.is_file())
    return sorted(path for path in base.glob(name) if path.is_file())


def lies_within(entry: str, base: Path, directory: Path) -> bool:
    """Whether all that an entry can mean, now or later, is beneath a directory."""
    parts = Path(entry.removeprefix("file://")).parts
    fixed = list(takewhile(lambda part: not _MARKS & set(part), parts))
    if ".." in parts[len(fixed) :]:
        return False
    real = directory.resolve()
    return all(path.resolve().is_relative_to(real) for path in (base.joinpath(*fixed), *_files(entry, base)))


def _read(agent: str, path: Path) -> str:
    try:
        if path.stat().st_size > MAX_BYTES:
            raise ConfigError(f"agent {agent!r} knows {str(path)!r}, which has more than {MAX_BYTES:,} bytes")
        return path.read_text(encoding="utf-8")
    except OSError as error:
        raise ConfigError(f"agent {agent!r} knows {str(path)!r}, which cannot be read: {error.strerror}") from error
    except UnicodeDecodeError as error:
        raise ConfigError(f"agent {agent!r} knows {str(path)!r}, which is no UTF-8 text") from error


def _shown(path: Path, base: Path) -> str:
    return str(path.relative_to(base)) if path.is_relative_to(base) else str(path)


def _fenced(name: str, text: str) -> str:
    """A document between marks that its text cannot close."""
    title = name.replace("&", "&amp;").replace('"', "&quot;").replace("<", "&lt;")
    body = text.strip("\n").replace("</document", "&lt;/document").replace("</knowledge", "&lt;/knowledge")
    return f'<document source="{title}">\n{body}\n</document>'
