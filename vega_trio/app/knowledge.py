"""What agents know from files: read when the application opens, and put before their system prompt."""

from __future__ import annotations

from pathlib import Path

from vega_trio.dsl.document import AgentDefinition
from vega_trio.errors import ConfigError

MAX_BYTES = 1024 * 1024  # of one agent; a model's context holds less than that
_MARKS = frozenset("*?[")


def informed_system(definition: AgentDefinition, base: Path) -> str:
    """The agent's system prompt, what it knows before it. `base` is what its paths are relative to.

    Raises: ConfigError for a file that cannot be read, is no text or makes too much.
    """
    texts = {each: _read(definition.name, each) for pattern in definition.knowledge for each in _files(pattern, base)}
    size = sum(len(text.encode()) for text in texts.values())
    if size > MAX_BYTES:
        raise ConfigError(
            f"the knowledge of agent {definition.name!r} has {size:,} bytes, which is more than {MAX_BYTES:,}; "
            "name fewer files"
        )
    if not texts:
        return definition.system
    known = "\n\n".join(_fenced(_shown(path, base), text) for path, text in texts.items())
    return f"<knowledge>\n{known}\n</knowledge>\n\n{definition.system}"


def _files(pattern: str, base: Path) -> list[Path]:
    """The files of an entry, sorted; a pattern may match none yet."""
    name = pattern.removeprefix("file://")
    if not _MARKS & set(name):
        return [base / name]
    if name.startswith("/"):
        return sorted(path for path in Path("/").glob(name.lstrip("/")) if path.is_file())
    return sorted(path for path in base.glob(name) if path.is_file())


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
