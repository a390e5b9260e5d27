"""The dry run: which steps come and what agents would be told, without asking any."""

from __future__ import annotations

from typing import Any

from dsl_cases import AGENTS, load

from vega_trio.dsl.inputs import bind
from vega_trio.dsl.rehearse import MAX_LINES, MAX_PASSES, Rehearsal, rehearse


def rehearsed(workflows: str, *, env: dict[str, str] | None = None, **inputs: Any) -> Rehearsal:
    document = load(AGENTS + workflows).document
    name = next(iter(document.workflows))
    return rehearse(document, name, bind(document.workflows[name], inputs), env or {})


def flow(steps: str, **inputs: Any) -> Rehearsal:
    indented = "".join(f"      {line}\n" for line in steps.strip("\n").split("\n"))
    return rehearsed(f"workflows:\n  w:\n    steps:\n{indented}", **inputs)


def told(rehearsal: Rehearsal) -> list[str]:
    return [line.text or "" for line in rehearsal.lines if line.kind == "ask"]


def test_messages_are_filled_in_and_answers_stand_by_name() -> None:
    found = flow(
        """
- Writer: "Write {{task}}"
  save: code
- Reader: "Read {{code}} of {{task | upper}}: {{code | length}}, {{ result.x }}"
- Writer: "After {{result}}"
""",
        task="f",
    )
    assert told(found) == ["Write f", "Read <code> of F: <code | length>, <result.x>", "After <result>"]
    assert [(line.path, line.agent, line.saves) for line in found.lines] == [
        ("w/0", "Writer", "code"), ("w/1", "Reader", ""), ("w/2", "Writer", "")
    ]  # fmt: skip
    assert found.output == "<result>"
    assert found.problems == []


def test_a_condition_that_is_known_decides_and_one_that_is_not_shows_both_ways() -> None:
    steps = """
- if: mode == 'fast'
  then:
    - Writer: quick
  else:
    - Writer: slow
- Reader: rate
  save: score
- if: score > 8
  then:
    - set: {word: good}
    - Writer: praise
  else:
    - Writer: mend
- Writer: "It is {{word | default:bad}}"
- Writer: never
  if: mode == 'slow'
- Writer: perhaps
  if: score < 3
"""
    found = flow(steps, mode="fast")
    assert told(found) == ["quick", "rate", "praise", "mend", "It is <word | default:bad>", "perhaps"]
    titles = [line.title for line in found.lines]
    assert "if mode == 'fast' (true)" in titles
    assert "if score > 8" in titles
    assert "Writer (skipped, for not: mode == 'slow')" in titles
    assert "if score < 3: Writer" in titles


def test_a_known_list_is_walked_and_an_unknown_one_once() -> None:
    found = flow(
        """
- for: x in [1, 2]
  steps:
    - Writer: "{{loop.count}} of {{loop.length}}: {{x}}"
      save: last
- Reader: "then {{last}}"
- Writer: a list
  format: json
  save: many
- for: y in many
  steps:
    - Writer: "do {{y}} at {{loop.index}}"
"""
    )
    assert told(found) == ["1 of 2: 1", "2 of 2: 2", "then <last>", "a list", "do <y> at <loop.index>"]
    long = flow("- for: x in items\n  steps:\n    - Writer: '{{x}}'", items=list(range(100)))
    assert len(told(long)) == MAX_PASSES
    assert long.lines[-1].title == f"and {100 - MAX_PASSES} more passes"


def test_what_a_loop_leaves_behind_is_not_known_where_not_all_its_passes_are_shown() -> None:
    loop = "- for: n in [%s]\n  steps: [{set: {last: '{{n}}'}}]\n- Writer: 'Last {{last}}'"
    assert told(flow(loop % "1, 2")) == ["Last 2"]
    assert told(flow(loop % ", ".join(map(str, range(MAX_PASSES + 1))))) == ["Last <last>"]


def test_loops_in_loops_end_with_the_lines_that_are_shown() -> None:
    steps = "{Writer: hi}"
    for name in "abcdef":
        steps = f"{{for: {name} in n, steps: [{steps}]}}"
    found = flow(f"- {steps}", n=list(range(10)))
    assert len(found.lines) == MAX_LINES + 1
    assert found.lines[-1].title == "and more: the first 10,000 lines are shown"


def test_branches_see_the_past_and_what_they_write_is_joined() -> None:
    found = flow(
        """
- set: {a: 1, b: 1}
- parallel:
    - set: {a: 2}
    - - Writer: "{{a}}"
        save: b
- Reader: "{{a}} {{b}}"
- parallel: {agent: Writer, inputs: ["x {{a}}", "y"], save: both}
- parallel: {agent: Writer, inputs: both}
"""
    )
    assert told(found) == ["1", "2 <b>", "x 2", "y", "<both>"]
    assert [line.path for line in found.lines if line.kind == "ask"][:1] == ["w/1.parallel[1].0"]


def test_a_loop_until_is_shown_once_and_a_catch_too() -> None:
    found = flow(
        """
- set: {n: 0}
- repeat:
    steps:
      - Writer: "round {{n}}"
      - set: {n: "{{n + 1}}"}
    until: n > 2
    max: 5
- Reader: "{{n}}"
- try:
    - Writer: risky
  catch:
    - Reader: "why {{error}}"
- Writer: "{{error}}"
"""
    )
    assert told(found) == ["round 0", "<n>", "risky", "why <error>", "<error>"]
    assert "repeat until n > 2 (passes: at most 5)" in [line.title for line in found.lines]


def test_a_workflow_that_is_called_is_walked_and_recursion_ends() -> None:
    found = rehearsed(
        """
workflows:
  main:
    inputs: {task: string}
    steps:
      - workflow: part
        with: {text: "do {{task}}", times: 2}
        save: done
    output: {it: "{{done}}", task: "{{task}}"}
  part:
    inputs: {text: string, times: integer}
    steps:
      - Writer: "{{text}} x{{times + 1}}"
        save: more
      - if: more
        then:
          - workflow: part
            with: {text: "{{more}}", times: "{{times}}"}
""",
        task="it",
    )
    assert told(found) == ["do it x3"]
    assert [line.title for line in found.lines if line.kind == "workflow"] == ["workflow part", "workflow part (again)"]
    assert found.output == "<a value with done>"


def test_what_fails_for_certain_is_said_with_its_place() -> None:
    found = flow("- Writer: '{{task - 1}}'\n- Reader: go on", task="x")
    assert told(found) == ["go on"]
    (problem,) = found.problems
    assert problem.startswith("step w/0: ")
    assert problem.endswith("(team.vega.yaml:7:9)")


def test_the_clock_is_not_read_and_the_environment_only_by_name() -> None:
    found = rehearsed(
        "workflows:\n  w:\n    inputs: {}\n    steps:\n      - Writer: '{{date}} {{env.LANG}} {{run_id}} {{workflow}}'",
        env={"LANG": "C", "OTHER": "x"},
    )
    assert told(found) == ["<date> C <run_id> w"]


def test_a_return_ends_it_where_it_is_certain() -> None:
    found = flow("- if: ok\n  then:\n    - return: early\n- Writer: late", ok=True)
    assert told(found) == []
    assert found.output == "early"
    perhaps = "- Writer: a\n  save: ok\n- if: ok\n  then:\n    - return: early\n- Writer: late"
    assert told(flow(perhaps)) == ["a", "late"]


def test_a_loop_in_a_loop_whose_passes_are_not_known_is_walked() -> None:
    steps = "- repeat:\n    max: 2\n    steps:\n      - for: x in [1, 2]\n        steps:\n"
    found = flow(steps + "          - Writer: '{{x}} {{loop.parent.index}}'")
    assert told(found) == ["1 <loop.parent.index>", "2 <loop.parent.index>"]
    assert found.problems == []
