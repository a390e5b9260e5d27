"""Checks that need the whole document: names across it, and variables along the steps of each workflow."""

from __future__ import annotations

from collections.abc import Sequence

import attrs

from vega_trio.dsl.document import Document
from vega_trio.dsl.read_agents import AgentSection, check_team
from vega_trio.dsl.reading import Reading
from vega_trio.dsl.yaml_text import YamlNode
from vega_trio.protocols import Files


@attrs.frozen(kw_only=True)
class Whole:
    """What the checks need besides the document: the trees it was read from, every tool name, the files."""

    agents: AgentSection
    tools: frozenset[str]
    workflows: Sequence[YamlNode]
    files: Files
    root: str


def validate(reading: Reading, document: Document, whole: Whole) -> Document:
    """The document, its workflows' free inputs declared. Reports what is wrong with it."""
    check_team(reading, whole.agents)
    return document
