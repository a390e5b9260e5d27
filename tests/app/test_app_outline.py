"""The graph of a workflow has the paths under which its runs tell of their steps."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import trio

import vega_trio as vega
from vega_trio.app.disk import Disk
from vega_trio.app.outline import StepNode, outline
from vega_trio.dsl.parse import parse_text
from vega_trio.testing import ScriptedModel

DOCUMENT = """
agents:
  A: {model: demo, system: You help.}
workflows:
  inner:
    inputs: {x: string}
    steps:
      - A: "inner {{x}}"
  outer:
    inputs: {task: string}
    steps:
      - for item in [1, 2]:
          - A: "{{item}}"
      - if: "true"
        then:
          - A: then
      - parallel:
          - A: one
          - [{A: two}, {A: three}]
      - try:
          - A: tried
        catch:
          - A: caught
      - workflow: inner
        with: {x: "1"}
"""


def flat(nodes: tuple[StepNode, ...]) -> Iterator[StepNode]:
    for node in nodes:
        yield node
        for block in node.blocks:
            yield from flat(block.steps)


async def test_every_step_of_a_run_is_in_the_graph_of_its_workflow(tmp_path: Path) -> None:
    path = tmp_path / "team.vega.yaml"
    path.write_text(DOCUMENT)
    with trio.fail_after(5):
        async with vega.open_app(path, model=ScriptedModel(lambda request: "ok")) as app:
            run = await app.run_workflow("outer", {"task": "x"})
            await run.wait()
            steps = (await app.run(run.id))["steps"]
            known = {node.path: node for name in ("outer", "inner") for node in flat(outline(app.workflow(name)))}
    told = {re.sub(r"#\d+", "#", step["path"].rpartition(">")[2]) for step in steps}
    assert told <= known.keys()
    assert known.keys() - told == {"outer/3.catch.0"}
    assert {step["agent"] for step in steps if step["kind"] == "ask"} == {"A"}
    assert known["outer/4"].workflow == "inner"


def test_the_condition_beside_an_action_is_in_its_title() -> None:
    text = "agents: {A: {model: demo, system: x}}\nworkflows: {w: {inputs: [x], steps: [{A: hi, if: 'x  > 1'}]}}"
    definition = parse_text(text.encode(), "t", Disk(), env={}).document.workflows["w"]
    assert [node.title for node in outline(definition)] == ["if x > 1: A"]
