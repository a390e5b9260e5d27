"""Files of the sandbox."""

from __future__ import annotations

import attrs


@attrs.frozen(kw_only=True)
class FileEntry:
    """A file or directory; `path` is relative to the sandbox, `size` in bytes."""

    name: str
    path: str
    is_dir: bool
    size: int
    mod_time: str
    content_type: str | None = None


@attrs.frozen(kw_only=True)
class FileContent:
    """The beginning of a file. `encoding` is utf-8, or base64 where it is no text."""

    name: str
    path: str
    size: int
    mod_time: str
    content_type: str | None = None
    encoding: str
    content: str
    truncated: bool = False
