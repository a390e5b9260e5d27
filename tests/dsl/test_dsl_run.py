"""Workflows run without any runtime: which messages are sent, in which order, and what comes out."""

from __future__ import annotations

import time
from typing import Any

import pytest
from dsl_cases import Ran, echo, load, result, run, workflow

from vega_trio.dsl.effects import Ask, Branch, BranchResult, Fork, StepFailed
from vega_trio.dsl.interpret import interpret
from vega_trio.dsl.replies import parse_reply


def failing(ask: Ask) -> str:
    """Whoever is told boom fails."""
    if "boom" in ask.message:
        raise StepFailed("it broke", "overloaded")
    return f"<{ask.message}>"


# -- asking


@pytest.mark.parametrize(
    "step",
    [
        "- Writer: do {{task}}",
        "- Writer writes the text: do {{task}}",
        "- Writer:\n    send: do {{task}}",
        "- Writer:\n  send: do {{task}}",
        "- Writer writes it:\n    send: do {{task}}\n    save: text",
        "- Writer: do {{task}}\n  save: text",
        "- if: task\n  Writer: do {{task}}",
    ],
)
def test_every_form_of_an_ask_sends_the_same_message(step: str) -> None:
    ran = run(workflow(step, inputs="[task]"), {"task": "it"})
    assert (ran.messages, ran.value) == (["do it"], "<do it>")


def test_the_longest_name_of_an_agent_wins() -> None:
    text = """
agents:
  Code: {system: a}
  Code Reviewer: {system: b}
workflows:
  main:
    steps:
      - Code Reviewer checks: one
      - Code checks: two
"""
    assert [ask.agent for ask in run(text).asks] == ["Code Reviewer", "Code"]


def test_a_message_always_prints_and_a_saved_reply_is_text() -> None:
    ran = run(workflow('- set: {n: "{{ 2 * 2 }}"}\n- Writer: "{{n}}"\n  save: reply', output='["{{n}}", "{{reply}}"]'))
    assert (ran.messages, ran.value) == (["4"], [4, "<4>"])


def test_a_step_options_reach_the_ask() -> None:
    step = """
- Writer:
    send: x
    timeout: 90s
    budget: $0.50
    retry: 2
    tools: [read_file]
    fresh: true
"""
    ask = run(workflow(step)).asks[0]
    assert (ask.timeout_s, ask.tools, ask.fresh) == (90.0, ("read_file",), True)
    assert ask.budget is not None
    assert ask.budget.limit_microusd == 500_000
    assert ask.retry is not None
    assert ask.retry.max_attempts == 3
    assert "authentication" not in ask.retry.retry_on
    assert "agent_crashed" in ask.retry.retry_on


def test_paths_are_stable_and_say_where_a_step_is() -> None:
    steps = """
- Writer: a
- if: true
  then: [{Writer: b}]
  else: [{Writer: never}]
- for: x in ['c', 'd']
  steps: [{set: {y: "{{x}}"}}, {Writer: "{{y}}"}]
- parallel:
    - Writer: e
    - - Writer: f
      - Reader: g
- try: [{Writer: boom}]
  catch: [{Writer: h}]
- repeat: {max: 1, steps: [{Writer: i}]}
- workflow: other
- parallel: {agent: Writer, inputs: [j, k]}
"""
    more = "  other:\n    steps: [{Reader: z}]\n"
    ran = run(workflow(steps, more=more), answer=failing)
    assert list(zip(ran.paths, ran.messages, strict=True)) == [
        ("main/0", "a"),
        ("main/1.then.0", "b"),
        ("main/2#0.1", "c"),
        ("main/2#1.1", "d"),
        ("main/3.parallel[0]", "e"),
        ("main/3.parallel[1].0", "f"),
        ("main/3.parallel[1].1", "g"),
        ("main/4.try.0", "boom"),
        ("main/4.catch.0", "h"),
        ("main/5#0.0", "i"),
        ("main/6>other/0", "z"),
        ("main/7.parallel[0]", "j"),
        ("main/7.parallel[1]", "k"),
    ]


# -- results


@pytest.mark.parametrize(
    ("steps", "output", "given", "expected"),
    [
        # what a workflow gives
        ("- Writer: a\n- Writer: b", "", {}, "<b>"),
        ("- Writer: a\n- set: {x: 1}", "", {}, "<a>"),
        ("- set: {x: 1}", "", {}, None),
        ("- Writer: a\n  save: x\n- Writer: b", "x", {}, "<a>"),
        ("- Writer: a\n  save: x", "steps.x.status", {}, "completed"),
        ("- Writer: a\n  save: x", '{a: "{{x}}", b: [1, "n{{x}}", null]}', {}, {"a": "<a>", "b": [1, "n<a>", None]}),
        (
            "- Writer: a",
            '"{{steps.writer.output}} {{steps.writer.cost_usd}} {{steps.writer.duration_ms}}"',
            {},
            "<a> 0.25 10",
        ),
        ("- Writer tells it: a", "steps.writer_tells_it.agent", {}, "Writer"),
        ("- Writer: a\n  id: first", "first", {}, "<a>"),
        # conditions
        ("- if: n > 3\n  then: [{Writer: big}]\n  else: [{Writer: small}]", "", {"n": 4}, "<big>"),
        ("- if: n > 3\n  then: [{Writer: big}]\n  else: [{Writer: small}]", "", {"n": "2"}, "<small>"),
        ("- if: '{{n}}'\n  then: {Writer: yes it is}", "", {"n": "no"}, None),
        ("- if: n\n  Writer: a\n  save: x", '"{{x | default:none}}"', {"n": False}, "none"),
        # loops
        ("- for: x in items\n  steps: [{Writer: '{{x}}'}]\n  save: all", "all", {"items": ["a", "b"]}, ["<a>", "<b>"]),
        ("- for x in items:\n    - Writer: '{{x}}'\n  save: all", "all", {"items": ["a", "b"]}, ["<a>", "<b>"]),
        ("- for: k, v in items\n  steps: [{set: {last: '{{k}}{{v}}'}}]", "last", {"items": {"a": 1, "b": 2}}, "b2"),
        ("- for: k in items\n  steps: [{set: {last: '{{k}}'}}]", "last", {"items": {"a": 1, "b": 2}}, "b"),
        (
            (
                "- for: x in items\n"
                "  steps: [{set: {n: '{{loop.index}}{{loop.count}}{{loop.first}}{{loop.last}}{{loop.length}}'}}]"
            ),
            "n",
            {"items": [1, 2]},
            "12falsetrue2",
        ),
        ("- for: x in items\n  steps: []\n- set: {n: '{{loop.count}}'}", "n", {"items": [1, 2, 3]}, 3),
        ("- for: x in items\n  steps: []\n- set: {n: '{{loop.count}}'}", "n", {"items": []}, 0),
        ("- set: {x: mine}\n- for: x in items\n  steps: []", "x", {"items": [1]}, "mine"),
        (
            "- for: x in items\n  steps:\n    - for: y in items\n      steps: []\n    - set: {n: '{{loop.index}}'}",
            "n",
            {"items": [1, 2]},
            1,
        ),
        (
            (
                "- for: x in items\n  steps:\n    - for: y in items\n"
                "      steps: [{set: {n: '{{loop.parent.index}}.{{loop.index}}'}}]"
            ),
            "n",
            {"items": [1, 2]},
            "1.1",
        ),
        ("- for: x in items\n  steps: [{set: {'n': '{{item}}'}}]", "n", {"items": [7]}, 7),
        (
            "- set: {n: 0}\n- repeat: {until: n >= 3, steps: [{set: {n: '{{n + 1}}'}}]}",
            '"{{n}} {{loop.count}}"',
            {},
            "3 3",
        ),
        ("- set: {n: 0}\n- repeat: {max: 4, steps: [{set: {n: '{{n + 1}}'}}]}", "n", {}, 4),
        ("- set: {n: 0}\n- repeat: {max: '{{most}}', steps: [{set: {n: '{{n + 1}}'}}]}", "n", {"most": "2"}, 2),
        ("- set: {n: 0}\n- repeat: {steps: [{set: {n: '{{n + 1}}'}}]}", "n", {}, 100),
        # branches
        ("- parallel: [{Writer: a}, {Writer: b}]", "", {}, ["<a>", "<b>"]),
        ("- parallel:\n    - {Writer: a, save: x}\n    - {Reader: b, save: y}", '"{{x}}{{y}}"', {}, "<a><b>"),
        ("- parallel: [{set: {x: 1}}, {set: {x: 2}}]", "x", {}, 2),
        ("- set: {x: 0}\n- parallel: [{set: {x: '{{x + 1}}'}}, {set: {y: '{{x + 1}}'}}]", '"{{x}}{{y}}"', {}, "11"),
        ("- parallel: {agent: Writer, inputs: ['a {{n}}', b], save: all}", "all", {"n": 1}, ["<a 1>", "<b>"]),
        ("- parallel: {agent: Writer, inputs: 'items'}", "", {"items": ["a", 2]}, ["<a>", "<2>"]),
        ("- parallel: []", "", {}, []),
        # setting and returning
        ("- set: {a: 1, b: '{{a + 1}}', c: {d: ['{{b}}', x]}}", "c", {}, {"d": [2, "x"]}),
        ("- return: '{{n}}'\n- Writer: never", "", {"n": 5}, 5),
        (
            "- for: x in items\n  steps: [{if: x == 2, then: [{return: x}]}, {Writer: '{{x}}'}]\n- Writer: never",
            "",
            {"items": [1, 2, 3]},
            2,
        ),
        ("- try: [{return: early}]\n  catch: []\n- Writer: never", "", {}, "early"),
        (
            "- for: i in items\n  steps:\n    - Writer: '{{i}}'\n      save: 'r_{{loop.index}}'",
            '"{{r_0}}{{r_1}}"',
            {"items": ["a", "b"]},
            "<a><b>",
        ),
        # the world
        ("- set: {x: '{{date}} {{time}} {{now}}'}", "x", {}, "2026-11-22 10:15:30 2026-11-22T10:15:30+01:00"),
        ("- set: {x: '{{random}} {{run_id}} {{workflow}} {{env.HOME}}'}", "x", {}, "uuid-1 run-1 main <HOME>"),
        ("- set: {x: '{{env.UNSET | default:none}}'}", "x", {}, "none"),
        ("- set: {date: mine}\n- set: {x: '{{date}}'}", "x", {}, "mine"),
    ],
)
def test_a_workflow_gives(steps: str, output: str, given: dict[str, Any], expected: object) -> None:
    assert result(steps, output, **given) == expected


def test_the_primary_input_is_input() -> None:
    assert run(workflow('- set: {x: "{{input}}"}', inputs="{topic: string}", output="x"), {"topic": "t"}).value == "t"


# -- failures


def test_an_uncaught_failure_says_step_agent_and_place() -> None:
    steps = "- parallel:\n    - Reader: fine\n    - Writer: boom\n"
    with pytest.raises(StepFailed) as error:
        run(workflow(steps), answer=failing)
    assert str(error.value) == "step main/0.parallel[1] (Writer): it broke (team.vega.yaml:9:13)"
    assert error.value.error_class == "overloaded"


def test_an_expression_that_fails_says_so_too() -> None:
    with pytest.raises(StepFailed) as error:
        result("- set: {x: '{{ items.name }}'}", items=[1])
    assert str(error.value) == (
        "step main/0: a list has no '.name'; take an item by its number: list.0 (team.vega.yaml:8:9)"
    )
    assert (error.value.code, error.value.error_class) == ("R002", "expression_error")


@pytest.mark.parametrize(
    ("steps", "output", "expected"),
    [
        ("- try: [{Writer: boom}]\n  catch: [{Writer: '{{error}}/{{error_class}}'}]", "", "<it broke/overloaded>"),
        ("- try: [{set: {x: 1}}, {Writer: boom}]\n  catch: []", '"{{x}}"', 1),
        ("- try: [{Writer: boom}]\n  catch: []\n- try: [{Writer: ok}]\n  catch: []", '"{{error}}|{{result}}"', "|<ok>"),
        ("- try: [{Writer: ok}]\n  catch: [{Writer: never}]", "", "<ok>"),
        (
            "- Writer: boom\n  continue_on_error: true\n  save: x",
            '"{{x}} {{x.class}} {{x.step}}"',
            "it broke overloaded main/0",
        ),
        ("- Writer: boom\n  continue_on_error: true\n  save: x", '"{{x | default:none}}"', "none"),
        (
            (
                "- Writer: boom\n  continue_on_error: true\n  save: x\n- if: x\n"
                "  then: [{Writer: good}]\n  else: [{Writer: bad}]"
            ),
            "",
            "<bad>",
        ),
        (
            "- Writer: boom\n  continue_on_error: true\n- Writer: ok\n  continue_on_error: true",
            '"{{error}}|{{error_class}}"',
            "|",
        ),
        ("- Writer: boom\n  continue_on_error: true\n- Writer: ok", '"{{error}}"', "it broke"),
        ("- Writer: boom\n  continue_on_error: true\n  save: x", '{f: "{{x}}"}', {"f": "it broke"}),
        (
            "- Writer: boom\n  id: w\n  continue_on_error: true",
            '"{{steps.w.status}} {{steps.w.error}}"',
            "failed it broke",
        ),
        ("- if: true\n  then: [{Writer: boom}]\n  continue_on_error: true\n  save: x", '"{{x.message}}"', "it broke"),
    ],
)
def test_a_failure_can_be_caught(steps: str, output: str, expected: object) -> None:
    assert result(steps, output, failing) == expected


def test_a_failing_branch_merges_nothing() -> None:
    steps = "- try:\n    - parallel: [{set: {x: 1}}, {Writer: boom}]\n  catch: []\n"
    assert result(steps, '"{{x | default:nothing}}"', failing) == "nothing"


def test_a_time_limit_on_an_ask_is_the_drivers_and_on_a_block_surrounds_it() -> None:
    steps = "- Writer: a\n  timeout: 5s\n- if: true\n  then: [{Writer: b}]\n  timeout: 1m\n"
    ran = run(workflow(steps))
    assert [ask.timeout_s for ask in ran.asks] == [5.0, None]
    assert [(each.path, each.timeout_s) for each in ran.limits] == [("main/1", 60.0)]


def test_what_is_to_be_done_on_timeout_gives_the_value() -> None:
    steps = "- Writer: slow\n  timeout: 5s\n  on_timeout: [{Reader: instead}]\n  save: x"
    ran = run(workflow(steps, output="x"), time_out=frozenset({"main/0"}))
    assert (ran.value, ran.paths) == ("<instead>", ["main/0", "main/0.on_timeout.0"])


def test_a_late_step_within_is_no_reason_for_the_block_to_give_up() -> None:
    steps = "- if: true\n  then: [{Writer: slow, timeout: 5s}]\n  timeout: 1m\n  on_timeout: [{Reader: instead}]"
    with pytest.raises(StepFailed) as error:
        run(workflow(steps), time_out=frozenset({"main/0.then.0"}))
    assert (error.value.path, error.value.code) == ("main/0.then.0", "R004")


def test_a_timeout_without_a_remedy_fails_the_step() -> None:
    with pytest.raises(StepFailed) as error:
        run(workflow("- if: true\n  then: [{Writer: a}]\n  timeout: 2s"), time_out=frozenset({"main/0"}))
    assert (error.value.error_class, error.value.code) == ("timeout", "R004")
    assert "longer than its timeout of 2 s" in str(error.value)


def test_a_text_is_no_list_to_loop_over() -> None:
    with pytest.raises(StepFailed, match=r"'for' needs a list, not a text; split it first: text \| split:','"):
        result("- for: x in items\n  steps: []", items="a, b")


def test_a_loop_has_ten_thousand_passes_at_most() -> None:
    assert result("- for: x in items\n  steps: []\n  save: n", "n | length", items=[0] * 100) is not None
    with pytest.raises(StepFailed) as error:
        result("- for: x in items\n  steps: []", items=[0] * 10_001)
    assert error.value.code == "R007"


# -- workflows of workflows

SUM = """
  sum:
    inputs: {n: integer}
    steps:
      - if: n <= 0
        then: [{return: 0}]
      - workflow: sum
        with: {n: "{{n - 1}}"}
        save: rest
    output: "{{n + rest}}"
"""


def test_a_workflow_may_call_itself_and_sees_only_its_inputs() -> None:
    steps = "- set: {secret: 1}\n- workflow: sum\n  with: {n: 5}\n  save: s"
    assert run(workflow(steps, output="s", more=SUM)).value == 15


def test_workflows_nest_thirty_two_deep_at_most() -> None:
    steps = "- workflow: sum\n  with: {n: '{{n}}'}"
    assert run(workflow(steps, inputs="[n]", more=SUM), {"n": 31}).value == 31 * 32 // 2
    with pytest.raises(StepFailed) as error:
        run(workflow(steps, inputs="[n]", more=SUM), {"n": 32})
    assert error.value.code == "R006"
    assert "workflows call each other deeper than 32" in str(error.value)


def test_inputs_of_a_called_workflow_are_coerced_like_all_inputs() -> None:
    more = (
        "  other:\n    inputs: {n: integer, flag: {type: boolean, default: yes}}\n"
        "    steps: []\n    output: '{{n + 1}} {{flag}}'\n"
    )
    assert run(workflow("- Writer: '5'\n  save: r\n- workflow: other\n  with: {n: 41}", more=more)).value == "42 true"
    with pytest.raises(StepFailed, match="the input 'n' must be an integer"):
        run(workflow("- Writer: x\n  save: r\n- workflow: other\n  with: {n: '{{r}}'}", more=more))


def test_each_conversation_belongs_to_its_call_or_branch() -> None:
    steps = "- Writer: a\n- parallel: [{Writer: b}, {Writer: c}]\n- workflow: other\n- Writer: d"
    ran = run(workflow(steps, more="  other:\n    steps: [{Writer: z}]\n"))
    names = {ask.message: ask.conversation for ask in ran.asks}
    assert names == {
        "a": "",
        "b": "main/1.parallel[0]",
        "c": "main/1.parallel[1]",
        "z": "main/2>other",
        "d": "",
    }
    origins = [(fork.conversation, [branch.conversation for branch in fork.branches]) for fork in ran.forks]
    assert origins == [
        ("", ["main/1.parallel[0]", "main/1.parallel[1]"]),
        ("main/2>other/new", ["main/2>other"]),
    ]


# -- structured replies


@pytest.mark.parametrize(
    ("reply", "value"),
    [
        ('{"score": 9}', {"score": 9}),
        ('Here:\n```json\n{"score": 9}\n```\nDone.', {"score": 9}),
        ('The score is {"score": 9}, I think.', {"score": 9}),
        ("  [1, 2] ", [1, 2]),
    ],
)
def test_a_reply_in_json_is_found_wherever_it_stands(reply: str, value: object) -> None:
    ran = run(workflow("- Writer: rate\n  format: json\n  save: x", output="x"), answer=lambda _: reply)
    assert (ran.value, len(ran.asks)) == (value, 1)


def test_a_reply_in_yaml_is_read_as_such() -> None:
    step = "- Writer: rate\n  format: yaml\n  save: x"
    assert run(workflow(step, output="x"), answer=lambda _: "score: 9\nwhy: fine\n").value == {
        "score": 9,
        "why": "fine",
    }
    fenced = "It is:\n```yaml\n- a\n- b\n```"
    assert run(workflow(step, output="x"), answer=lambda _: fenced).value == ["a", "b"]


def test_a_wrong_format_is_corrected_once_and_outside_the_history() -> None:
    replies = iter(["nine", '{"score": 9}'])
    ran = run(workflow("- Writer: rate\n  format: json\n  save: x", output="x.score"), answer=lambda _: next(replies))
    assert ran.value == 9
    assert [(ask.path, ask.kept) for ask in ran.asks] == [("main/0", True), ("main/0.correction", False)]
    assert "could not be used as JSON" in ran.asks[1].message


def test_a_reply_that_stays_wrong_is_a_format_error() -> None:
    with pytest.raises(StepFailed) as error:
        run(workflow("- Writer: rate\n  format: json"), answer=lambda _: "nine")
    assert (error.value.error_class, error.value.code) == ("format_error", "R003")


def test_a_schema_is_checked_like_a_format() -> None:
    step = (
        "- Writer: rate\n  schema: {type: object, required: [score], properties: {score: {type: integer}}}\n  save: x"
    )
    replies = iter(['{"score": "nine"}', '{"score": 9}'])
    ran = run(workflow(step, output="x"), answer=lambda _: next(replies))
    assert ran.value == {"score": 9}
    assert 'score: "nine" is not of type "integer"' in ran.asks[1].message


@pytest.mark.parametrize("reply", ["\n" * 20_000 + "x", "a: 1\n" + " " * 40_000 + "b: c: d", "- " * 20_000])
def test_a_hostile_reply_is_read_in_linear_time(reply: str) -> None:
    """Security: YAML, regex. A model's text; the patterns that read it must not walk it again from each place."""
    begun = time.thread_time()
    assert parse_reply(reply, "yaml", None)[0] is None
    assert time.thread_time() - begun < 0.5


# -- memory


def test_what_is_remembered_is_recalled() -> None:
    memory: dict[str, object] = {}
    keep = workflow("- remember: {key: 'k_{{n}}', value: {a: ['{{n}}']}}", inputs="[n]")
    run(keep, {"n": 1}, memory=memory)
    assert memory == {"k_1": {"a": [1]}}
    back = workflow(
        "- recall: {key: k_1, save: x}\n- recall: {key: k_2, save: y, default: none}\n- recall: {key: k_3}\n  save: z",
        output='["{{x}}", "{{y}}", "{{z}}"]',
    )
    assert run(back, memory=memory).value == [{"a": [1]}, "none", None]


def test_a_memory_is_not_larger_than_it_may_be() -> None:
    with pytest.raises(StepFailed) as error:
        run(workflow("- remember: {key: k, value: '{{text}}'}", inputs="[text]"), {"text": "a" * 300_000})
    assert error.value.code == "R007"


# -- the contract of the generator


def test_the_same_answers_give_the_same_effects() -> None:
    text = workflow(
        "- for: x in ['a', 'b']\n  steps: [{Writer: '{{x}} {{random}}'}]\n- parallel: [{Reader: c}, {Writer: d}]"
    )
    first, second = run(text), run(text)
    assert first.asks == second.asks
    assert first.notes == second.notes


def test_every_started_step_is_finished_also_when_it_fails() -> None:
    ran = Ran()
    document = load(workflow("- if: true\n  then: [{Writer: a}, {Writer: boom}]")).document
    with pytest.raises(StepFailed):
        ran.drive(interpret(document, "main", {}), failing)
    said = [(note.what, note.path, note.kind, note.status) for note in ran.notes]
    assert said == [
        ("started", "main/0", "if", ""),
        ("started", "main/0.then.0", "ask", ""),
        ("finished", "main/0.then.0", "ask", "completed"),
        ("started", "main/0.then.1", "ask", ""),
        ("finished", "main/0.then.1", "ask", "failed"),
        ("finished", "main/0", "if", "failed"),
    ]
    assert ran.notes[-1].cost_usd == 0.25


def test_a_step_whose_condition_fails_has_started_too() -> None:
    ran = Ran()
    document = load(workflow("- Writer: a\n  if: 1 / 0")).document
    with pytest.raises(StepFailed, match="divides by zero"):
        ran.drive(interpret(document, "main", {}), echo)
    assert [(note.what, note.status) for note in ran.notes] == [("started", ""), ("finished", "failed")]


def test_a_skipped_step_and_each_pass_are_noted() -> None:
    ran = run(workflow("- if: false\n  Writer: a\n- for: x in [1, 2]\n  steps: []"))
    assert [(note.what, note.path, note.number) for note in ran.notes if note.what in ("skipped", "pass")] == [
        ("skipped", "main/0", 0),
        ("pass", "main/1", 0),
        ("pass", "main/1", 1),
    ]


def test_closing_a_run_ends_it_without_a_word() -> None:
    steps = interpret(load(workflow("- try: [{Writer: a}]\n  catch: [{Writer: b}]")).document, "main", {})
    effect: Any = next(steps)
    while not isinstance(effect, Ask):
        effect = steps.send(None)
    steps.close()
    with pytest.raises(StopIteration):
        next(steps)


def test_a_limit_of_branches_is_handed_to_the_driver() -> None:
    assert run(workflow("- parallel: [{Writer: a}, {Writer: b}]\n  limit: 1")).forks[0].limit == 1
    assert run(workflow("- parallel: {agent: Writer, inputs: [a], limit: 3}")).forks[0].limit == 3


def test_the_longest_branch_counts_and_costs_add_up() -> None:
    ran = run(
        workflow(
            "- parallel: [{Writer: a}, {Writer: b}]\n  id: p", output='"{{steps.p.cost_usd}} {{steps.p.duration_ms}}"'
        )
    )
    assert ran.value == "0.5 10"


def test_an_unknown_price_stays_unknown() -> None:
    document = load(workflow("- Writer: a", output="steps.writer.cost_usd")).document
    ran = Ran(cost_usd=None)
    assert ran.drive(interpret(document, "main", {}), echo).value is None


def test_branches_are_generators_that_give_their_writes() -> None:
    steps = interpret(load(workflow("- parallel: [{set: {x: 1}}]")).document, "main", {})
    effect: Any = next(steps)
    while not isinstance(effect, Fork):
        effect = steps.send(None)
    branch = effect.branches[0]
    given = Ran().drive(branch.body, echo)
    steps.close()
    assert isinstance(branch, Branch)
    assert isinstance(given, BranchResult)
    assert (given.writes, given.cost_usd, given.duration_ms) == ({"x": 1}, 0.0, 0)


def test_long_texts_and_deep_values_are_stopped() -> None:
    with pytest.raises(StepFailed) as error:
        result("- set: {x: '{{t}}'}\n- repeat: {max: 30, steps: [{set: {x: 'a{{x}}{{x}}'}}]}", t="a" * 1000)
    assert error.value.code == "R007"
    with pytest.raises(StepFailed) as error:
        result("- set: {x: 1}\n- repeat: {max: 300, steps: [{set: {x: ['{{x}}']}}]}")
    assert (error.value.code, error.value.error_class) == ("R007", "limit_exceeded")


def test_an_echo_is_an_echo() -> None:
    assert echo(Ask(path="p", agent="a", message="m")) == "<m>"
