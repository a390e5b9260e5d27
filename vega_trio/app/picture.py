"""A document as a Mermaid flowchart. Pure.

Names of agents and steps are hostile: they stand in quotes, as entities where Mermaid would read them, and the ids
of nodes are ours.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

import attrs

from vega_trio.app.outline import StepBlock, StepNode, outline
from vega_trio.dsl.document import AgentDefinition, Document
from vega_trio.dsl.workflow import WorkflowDefinition

LABEL = 60  # characters
_SHAPES = {
    "if": ("{", "}"),
    "for": ("[/", "/]"),
    "repeat": ("[/", "/]"),
    "workflow": ("[[", "]]"),
    "return": ("([", "])"),
}


def picture(document: Document, workflow: WorkflowDefinition | None = None) -> str:
    """All workflows and agents, or one workflow and the agents that it asks."""
    chosen = list(document.workflows.values()) if workflow is None else [workflow]
    lines = ["flowchart TB"]
    drawing = _Drawing()
    for each in chosen:
        lines += drawing.workflow(each)
    asked = {agent: None for each in chosen for agent in _agents(outline(each))}
    agents = document.agents.values() if workflow is None else [document.agents[name] for name in asked]
    lines += drawing.agents(agents, document)
    lines += drawing.edges
    return "".join(f"{line}\n" for line in lines)


def _agents(nodes: Iterable[StepNode]) -> Iterator[str]:
    for node in nodes:
        if node.agent is not None:
            yield node.agent
        for block in node.blocks:
            yield from _agents(block.steps)


def label(text: str) -> str:
    """A quoted label that holds nothing Mermaid or a page would read."""
    line = " ".join(text.split())
    short = line if len(line) <= LABEL else line[: LABEL - 3] + "..."
    return '"' + re.sub(r"[^\w .,:;!?()/+*=-]", lambda found: f"#{ord(found[0])};", short) + '"'


@attrs.define
class _Drawing:
    """Gives every node an id, and collects the edges, which stand behind all nodes."""

    count: int = 0
    edges: list[str] = attrs.field(factory=list)
    ids: dict[str, str] = attrs.field(factory=dict)

    def id(self, key: str) -> str:
        if key not in self.ids:
            self.count += 1
            self.ids[key] = f"n{self.count}"
        return self.ids[key]

    def node(self, key: str, text: str, kind: str = "") -> str:
        opening, closing = _SHAPES.get(kind, ("[", "]"))
        return f"{self.id(key)}{opening}{label(text)}{closing}"

    def edge(self, start: str, end: str, text: str = "", line: str = "-->") -> None:
        middle = f"{line}|{label(text)}|" if text else line
        self.edges.append(f"  {start} {middle} {end}")

    # -- workflows

    def workflow(self, workflow: WorkflowDefinition) -> list[str]:
        key = f"workflow {workflow.name}"
        lines = [f"  subgraph {self.id(f'{key} box')}[{label(key)}]"]
        lines.append(f"    {self.node(key, ', '.join(workflow.inputs) or 'start', 'return')}")
        lines += self.steps(outline(workflow), [(self.id(key), "")])
        return [*lines, "  end"]

    def steps(self, nodes: Iterable[StepNode], ends: list[tuple[str, str]]) -> list[str]:
        """Draws steps in a row; `ends` are where they come from, with a word, and afterwards where they end."""
        lines = []
        for node in nodes:
            lines.append(f"    {self.node(node.path, node.title, node.kind)}")
            for start, word in ends:
                self.edge(start, self.id(node.path), word)
            if node.agent is not None:
                self.edge(self.id(node.path), self.id(f"agent {node.agent}"), line="-.->")
            if node.workflow is not None:
                self.edge(self.id(node.path), self.id(f"workflow {node.workflow}"), line="-.->")
            ends[:] = [] if node.kind == "return" else [(self.id(node.path), "")]
            lines += self.blocks(node, ends)
        return lines

    def blocks(self, node: StepNode, ends: list[tuple[str, str]]) -> list[str]:
        """The ways through a step: those of its blocks, and past it where that is possible."""
        if not node.blocks:
            return []
        lines: list[str] = []
        here, left = self.id(node.path), []
        for block in node.blocks:
            way = [(here, _word(block))]
            lines += self.steps(block.steps, way)
            if block.name == "pass":
                for start, _ in way:
                    self.edge(start, here, "next")
            else:
                left += way
        names = {block.name for block in node.blocks}
        past = "pass" in names or names <= {"on_timeout"} or (node.kind == "if" and "else" not in names)
        ends[:] = [*left, (here, "else" if node.kind == "if" else "")] if past else left
        return lines

    # -- agents

    def agents(self, agents: Iterable[AgentDefinition], document: Document) -> list[str]:
        lines = [f'  subgraph {self.id("agents box")}["agents"]']
        for agent in agents:
            lines.append(f"    {self.id(f'agent {agent.name}')}([{label(agent.display_name or agent.name)}])")
            for member in agent.team:
                self.edge(self.id(f"agent {agent.name}"), self.id(f"agent {member}"), "team")
        return [*lines, "  end"]


def _word(block: StepBlock) -> str:
    if block.name.startswith("parallel"):
        return ""
    return "" if block.name == "pass" else block.name.replace("_", " ")
