"""The web page's files, read once at the start. What is not among them cannot be asked for, whatever the path says."""

from __future__ import annotations

from collections.abc import Mapping
from mimetypes import MimeTypes
from pathlib import Path

import attrs

INDEX = "index.html"
NONCE_MARK = b"__CSP_NONCE__"
WEB_FOLDER = Path(__file__).parent.parent / "_web"


@attrs.frozen
class Asset:
    """One file. `lasting` ones carry their content's hash in their name and never change."""

    body: bytes = attrs.field(repr=False)
    content_type: str
    lasting: bool


@attrs.frozen
class Bundle:
    """The files by URL path, the page itself apart. `page` is None when the bundle was never built."""

    files: Mapping[str, Asset]
    page: bytes | None = attrs.field(repr=False)


def read_bundle(folder: Path) -> Bundle:
    """Reads all files under `folder`; blocking. An empty bundle when there is no page. Raises: OSError."""
    page = folder / INDEX
    if not page.is_file():
        return Bundle({}, None)
    types = MimeTypes()  # the tables of Python alone: the system's differ from machine to machine
    files = {}
    for path in sorted(folder.rglob("*")):
        if path.is_file() and path != page:
            inside = path.relative_to(folder).as_posix()
            files[f"/{inside}"] = _asset(path, inside, types)
    return Bundle(files, page.read_bytes())


def _asset(path: Path, inside: str, types: MimeTypes) -> Asset:
    guessed, _ = types.guess_type(path.name)
    kind = guessed or "application/octet-stream"
    if kind.startswith("text/") or kind == "application/json":
        kind += "; charset=utf-8"
    return Asset(path.read_bytes(), kind, inside.startswith("assets/"))
