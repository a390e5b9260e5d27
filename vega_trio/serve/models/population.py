"""The local catalogue."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import attrs


@attrs.frozen
class Installation:
    """`kind`: agent, or skill."""

    name: str
    kind: str = "agent"


@attrs.frozen(kw_only=True)
class PopulationEntry:
    """`score`, from 0 to 1: the part of the words asked for that it has."""

    kind: str
    name: str
    version: str | None = None
    description: str = ""
    tags: tuple[str, ...] = ()
    score: float | None = None
    installed: bool = False


@attrs.frozen(kw_only=True)
class PopulationDetail:
    """`definition` is what an agent is made of, `origin` the file of a skill."""

    kind: str
    name: str
    version: str | None = None
    description: str = ""
    tags: tuple[str, ...] = ()
    installed: bool = False
    definition: Mapping[str, Any] = attrs.field(factory=dict)
    origin: str = ""


@attrs.frozen(kw_only=True)
class Installed:
    status: str
    name: str
