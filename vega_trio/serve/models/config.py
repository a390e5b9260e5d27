"""The document at work."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import attrs


@attrs.frozen
class NewDocument:
    """The whole text of the document, YAML."""

    document: str


@attrs.frozen(kw_only=True)
class DocumentEntry:
    """`document` is there where it is a single file, `editable` says whether it may be replaced."""

    file: str
    name: str = ""
    document: str | None = None
    editable: bool
    diagnostics: tuple[Mapping[str, Any], ...]


@attrs.frozen(kw_only=True)
class DocumentTaken:
    """The agents that are new, others than they were, and gone. What `restart` names holds from the next start on."""

    status: str
    file: str
    created: tuple[str, ...]
    updated: tuple[str, ...]
    deleted: tuple[str, ...]
    workflows: tuple[str, ...]
    restart: tuple[str, ...]
    diagnostics: tuple[Mapping[str, Any], ...]
