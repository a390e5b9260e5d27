"""The Mermaid picture of a document."""

from __future__ import annotations

from pathlib import Path

from vega_trio.app.disk import Disk
from vega_trio.app.picture import label, picture
from vega_trio.dsl.document import Document
from vega_trio.dsl.parse import parse_document

TEXT = """
agents:
  Lead: {model: demo, system: x, team: [Hand]}
  Hand: {model: demo, system: y}
workflows:
  w:
    inputs: {task: string}
    steps:
      - Lead starts: "{{task}}"
      - if: result
        then:
          - return: result
      - for: i in [1, 2]
        steps:
          - Hand: "{{i}}"
      - workflow: v
  v:
    inputs: {}
    steps:
      - Hand: "say \\"]-->|x|"
"""


def document(folder: Path) -> Document:
    path = folder / "t.vega.yaml"
    path.write_text(TEXT)
    return parse_document(str(path), Disk(), env={}).document


def test_steps_follow_each_other_and_blocks_come_back_together(tmp_path: Path) -> None:
    assert picture(document(tmp_path)) == (
        """\
flowchart TB
  subgraph n1["workflow w"]
    n2(["task"])
    n3["Lead starts"]
    n5{"if result"}
    n6(["return"])
    n7[/"for i in #91;1, 2#93;"/]
    n8["Hand"]
    n10[["workflow v"]]
  end
  subgraph n12["workflow v"]
    n11(["start"])
    n13["Hand"]
  end
  subgraph n14["agents"]
    n4(["Lead"])
    n9(["Hand"])
  end
  n2 --> n3
  n3 -.-> n4
  n3 --> n5
  n5 -->|"then"| n6
  n5 -->|"else"| n7
  n7 --> n8
  n8 -.-> n9
  n8 -->|"next"| n7
  n7 --> n10
  n10 -.-> n11
  n11 --> n13
  n13 -.-> n9
  n4 -->|"team"| n9
"""
    )


def test_one_workflow_is_drawn_with_the_agents_it_asks(tmp_path: Path) -> None:
    drawn = picture(document(tmp_path), document(tmp_path).workflows["v"])
    assert '(["Hand"])' in drawn
    assert "Lead" not in drawn


def test_a_label_holds_nothing_that_mermaid_or_a_page_would_read() -> None:
    assert label('a"] --> <b>|`x`\n{y}') == '"a#34;#93; --#62; #60;b#62;#124;#96;x#96; #123;y#125;"'
    assert len(label("x" * 500)) < 70
