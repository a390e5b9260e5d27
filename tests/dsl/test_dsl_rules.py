"""Rules of the language that no other table holds: scopes, joins, limits, what is caught, the environment."""

from __future__ import annotations

import time
from typing import Any

import pytest
from dsl_cases import AGENTS, ENV, codes, load, refusal, result, run, workflow

from vega_trio.dsl.effects import Ask, StepFailed
from vega_trio.dsl.template import compile_condition, compile_template
from vega_trio.dsl.values import ExpressionError


def failing(ask: Ask) -> str:
    if "boom" in ask.message:
        raise StepFailed("it broke", "overloaded")
    return f"<{ask.message}>"


# -- scopes and joins


@pytest.mark.parametrize(
    ("steps", "output", "expected"),
    [
        # what a user names like a built-in stays his
        ("- set: {result: mine}\n- Writer: a", "", "mine"),
        ("- set: {error: mine}\n- try: [{Writer: boom}]\n  catch: []", "error", "mine"),
        ("- set: {now: then}\n- Writer: a", "now", "then"),
        # blocks write into the one scope, also those of a loop and of what fails
        ("- for: x in [1]\n  steps: [{set: {y: 5}}]", "y", 5),
        ("- try: [{set: {y: 5}}, {Writer: boom}]\n  catch: [{set: {z: '{{y}}'}}]", "z", 5),
        # a loop's variables are as before behind it, its writes are not
        ("- set: {x: 0}\n- for: x in [1, 2]\n  steps: [{set: {y: '{{x}}'}}]", '["{{x}}", "{{y}}"]', [0, 2]),
        ("- set: {item: mine}\n- for: x in [1]\n  steps: []", "item", "mine"),
        ("- for: \"k, v in {'a': 1}\"\n  steps: [{set: {p: '{{k}}{{v}}{{item}}'}}]", "p", "a1a"),
        ("- for: x in [[1], [2]]\n  steps:\n    - for: y in x\n      steps: [{set: {z: '{{item}}'}}]", "z", 2),
        # a branch sees the past and its own writes; the later branch wins; steps come along
        ("- set: {x: 1}\n- parallel: [[{set: {x: 2}}, {set: {y: '{{x}}'}}], {set: {z: '{{x}}'}}]",
         '["{{x}}", "{{y}}", "{{z}}"]', [2, 2, 1]),
        ("- parallel: [{Writer: a, id: one}, {Writer: b, id: two}]", '"{{steps.one.output}}{{steps.two.status}}"',
         "<a>completed"),
        ("- parallel: [{set: {x: 1}}, {parallel: [{set: {x: 2}}, {set: {x: 3}}]}]", "x", 3),
        ("- parallel: [{set: {a: 2}}]\n  if: false\n- set: {b: '{{a | default:1}}'}", "b", 1),
        ("- for: x in [1, 2]\n  steps:\n    - parallel: [{set: {y: '{{x}}{{loop.index}}'}}]", "y", "21"),
        # the value of a block is its last step's
        ("- if: true\n  then: [{Writer: a}, {set: {x: 1}}]\n  save: v", "v", "<a>"),
        ("- try: [{Writer: boom}]\n  catch: [{Writer: b}]\n  save: v", "v", "<b>"),
        ("- repeat: {steps: [{Writer: '{{loop.index}}'}], max: 2}\n  save: v", "v", "<1>"),
        ("- if: false\n  then: [{Writer: a}]\n  save: v", '"{{v | default:none}}"', "none"),
        ("- parallel: [{set: {x: 1}}, {Writer: a}]\n  save: v", "v", [None, "<a>"]),
    ],
)  # fmt: skip
def test_a_scope_gives(steps: str, output: str, expected: object) -> None:
    assert result(steps, output, failing) == expected


def test_a_called_workflow_sees_only_its_inputs_and_leaves_nothing_behind() -> None:
    more = "  other:\n    inputs: {n: {default: 1}}\n    steps: [{set: {x: 2, secret: '{{n}}'}}]\n    output: x\n"
    text = workflow("- set: {x: 1}\n- workflow: other\n  save: y", output='["{{x}}", "{{y}}"]', more=more)
    assert run(text).value == [1, 2]
    inner = more.replace("{n: {default: 1}}", "{}").replace("'{{n}}'", "'{{x}}{{y}}'")
    assert codes(workflow("- set: {y: 1}\n- workflow: other", inputs="{}", more=inner)) == ["V030"]


def test_the_options_of_an_ask_hold_for_each_message_of_an_agent_s_branches() -> None:
    steps = "- parallel: {agent: Writer, inputs: [a, b]}\n  format: json\n  retry: 2\n  fresh: true\n  budget: $1"
    ran = run(workflow(steps), answer=lambda ask: f'{{"said": "{ask.message}"}}')
    assert ran.value == [{"said": "a"}, {"said": "b"}]
    assert [(ask.fresh, ask.retry is not None, ask.budget is not None) for ask in ran.asks] == [(True, True, True)] * 2
    assert codes(workflow("- parallel: [{Writer: a}]\n  format: json", inputs="{}"))[0] == "V033"


@pytest.mark.parametrize(
    ("steps", "expected"),
    [
        ("- return: 1\n- Writer: a\n- Reader: b", ["W116"]),
        ("- if: input\n  then: [{return: 1}]\n  else: [{return: 2}]\n- Writer: a", ["W116"]),
        ("- if: input\n  then: [{return: 1}, {if: true, then: [{Writer: a}, {Writer: b}]}]", ["W116"]),
        ("- if: input\n  then: [{return: 1}]\n- Writer: a", []),
        ("- return: 1\n  if: input\n- Writer: a", []),
        ("- for: x in [1]\n  steps: [{return: 1}]\n- Writer: a", []),
        ("- try: [{return: 1}]\n  catch: []\n- Writer: a", []),
    ],
)
def test_a_step_behind_a_return_is_told(steps: str, expected: list[str]) -> None:
    assert [code for code in codes(workflow(steps, inputs="{}")) if code != "W101"] == expected


def test_commands_without_isolation_are_told_unless_that_was_chosen() -> None:
    text = AGENTS + "tools: {a: {run: date}, b: {params: {s: string}, run: \"sh -c '{{s}}'\"}}\n"
    found = load(text, isolated=False).warnings
    assert [(each.code, each.message) for each in found if each.code == "W115"] == [
        ("W115", "without bubblewrap vega runs this command within limits only"),
        ("W115", "without bubblewrap vega refuses this command"),
    ]
    chosen = text + "settings: {commands: {sandbox: none}}"
    assert "W115" not in [each.code for each in load(chosen, isolated=False).warnings]


# -- what is caught


def test_what_a_catch_and_on_timeout_do_can_fail_too() -> None:
    with pytest.raises(StepFailed) as error:
        result("- try: [{Writer: boom}]\n  catch: [{Reader: boom two}]", "", failing)
    assert error.value.path == "main/0.catch.0"
    steps = "- Writer: slow\n  timeout: 1s\n  on_timeout: [{Reader: boom}]\n"
    with pytest.raises(StepFailed) as late:
        run(workflow(steps), answer=failing, time_out=frozenset({"main/0"}))
    assert late.value.path == "main/0.on_timeout.0"


def test_a_failure_within_a_called_workflow_is_caught_outside() -> None:
    more = "  other:\n    inputs: {}\n    steps: [{Writer: boom}]\n"
    steps = "- try: [{workflow: other}]\n  catch: [{set: {x: '{{error}}/{{error_class}}'}}]"
    assert run(workflow(steps, output="x", more=more), answer=failing).value == "it broke/overloaded"


def test_an_expression_that_fails_is_caught_like_an_agent_that_does() -> None:
    assert result("- try: [{set: {x: '{{ 1 / 0 }}'}}]\n  catch: []", "error_class", failing) == "expression_error"
    steps = "- try: [{set: {x: '{{ {}.nobody }}'}}]\n  catch: []"
    assert result(steps, "error_class", failing) == "undefined_variable"


def test_a_failure_value_is_false_prints_its_message_and_gives_way_to_a_default() -> None:
    steps = "- if: true\n  then: [{if: true, then: [{Writer: boom, continue_on_error: true, save: f}]}]"
    output = "\"{{f}}|{{f | default:x}}|{{'broke' in f}}|{{f.class}}|{{not f}}\""
    assert result(steps, output, failing) == "it broke|x|true|overloaded|true"


def test_an_error_stays_until_a_later_try_succeeds() -> None:
    steps = "- Writer: boom\n  continue_on_error: true\n- set: {a: '{{error}}'}\n- try: [{Writer: ok}]\n  catch: []"
    assert result(steps, '["{{a}}", "{{error}}", "{{error_class}}"]', failing) == ["it broke", None, None]


# -- limits


@pytest.mark.parametrize("most", [0, "0", "x", 1.5, "1.5", -3, True, None, [3]])
def test_a_limit_of_passes_that_is_none_fails(most: object) -> None:
    with pytest.raises(StepFailed, match="from 1"):
        result("- repeat: {max: '{{n}}', steps: [{set: {x: 1}}]}", n=most)


def test_reaching_the_limit_of_passes_is_no_failure() -> None:
    assert result("- repeat: {max: 3, until: false, steps: [{set: {x: '{{loop.count}}'}}]}", "x") == 3


def test_no_number_of_a_document_is_larger_than_any_number_may_be() -> None:
    huge = "0x" + "f" * 290
    found = str(
        refusal(
            AGENTS
            + f"workflows: {{w: {{inputs: {{n: {{type: number, min: {huge}}}}}, steps: [{{Writer: '{{{{n}}}}'}}]}}}}"
        )
    )
    assert "'min' must be a number" in found


def test_a_text_with_thousands_of_mistakes_is_told_of_in_time() -> None:
    holes = " ".join(f"{{{{x{n}}}}}" for n in range(2_000))
    begun = time.thread_time()
    found = str(
        refusal(AGENTS + f"workflows:\n  w:\n    inputs: [n]\n    steps:\n      - Writer: |\n          {holes}\n")
    )
    assert found.count("V030]") == 50
    assert time.thread_time() - begun < 3.0


def test_the_name_that_a_save_makes_must_be_one() -> None:
    with pytest.raises(StepFailed, match="must be letters"):
        result("- Writer: a\n  save: 'r {{n}}'", n=1)
    with pytest.raises(StepFailed, match="belongs to the language"):
        result("- Writer: a\n  save: '{{n}}'", n="loop")


@pytest.mark.parametrize(
    ("source", "message"),
    [("5", "not a number"), ("true", "not a boolean"), ("'a'", "not a text")],
)
def test_what_is_no_list_is_not_looped_over(source: str, message: str) -> None:
    with pytest.raises(StepFailed, match=message):
        result(f'- for: x in {source}\n  steps: [{{Writer: "{{{{x}}}}"}}]')


def test_null_is_looped_over_no_time_and_two_names_want_a_mapping() -> None:
    assert result("- for: x in n\n  steps: []\n  save: v", "v", n=None) == []
    with pytest.raises(StepFailed, match="need a mapping"):
        result("- for: k, v in [1]\n  steps: []")


# -- templates and filters at their edges


@pytest.mark.parametrize(
    ("text", "scope", "expected"),
    [
        ("{{ x | first }}|{{ x | last }}|{{ x | length }}", {"x": None}, "||0"),
        ("{{ x | slice:1 }}", {"x": "añb"}, "ñb"),
        ("{{ x | slice:5:9 }}", {"x": [1]}, []),
        ("{{ x | truncate:0 }}", {"x": "abc"}, "..."),
        ("{{ x | truncate:3 }}", {"x": "añb"}, "añb"),
        ("{{ x | join }}", {"x": []}, ""),
        ("{{ x | sort }}", {"x": [3, 1.5, 2]}, [1.5, 2, 3]),
        ("{{ x | unique }}", {"x": [1, 1.0, True, "1"]}, [1, True, "1"]),
        ("{{ x | reverse }}", {"x": []}, []),
        ("{{ x | words }}", {"x": "  a \n b\t"}, 2),
        ("{{ x | lines }}", {"x": "a\r\nb\n\n"}, 3),
        ("{{ x | int }}", {"x": -2.9}, -2),
        ("{{ x | float }}", {"x": "1e3"}, 1000.0),
        ("{{ x | json | length }}", {"x": "[1, 2]"}, 2),
        ("{{ x | default:'' | length }}", {}, 0),
        ("{{ x | default:y | upper }}", {"x": ""}, "Y"),
        ("{{ x | if:>=2:many }}", {"x": "3"}, "many"),
        ("{{ x | if:==a b:yes:no }}", {"x": "a b"}, "yes"),
        ("{{ x | replace:.:  }}|", {"x": "a.b"}, "a b|"),
        ("{{ 7 % 0.5 }}", {}, 0.0),
        ("{{ 2 - -2 }}", {}, 4),
        ("{{ not x == 1 }}", {"x": 2}, True),
        ("{{ 'b' not in x and 1 in [1] }}", {"x": "abc"}, False),
        ("{{ m.a.0[-1] }}", {"m": {"a": ["xyz"]}}, "z"),
        ("{{ x == null }}", {"x": None}, True),
        ("{{ [] == {} }}", {}, False),
        ("{{ {'a': 1, 'a': 2}.a }}", {}, 2),
        ("{{ x }}", {"x": -0.0}, -0.0),
        ("{{ x }}!", {"x": -0.0}, "0!"),
        ("{{ x }}!", {"x": 1e300}, "1e+300!"),
    ],
)
def test_an_edge_gives(text: str, scope: dict[str, Any], expected: object) -> None:
    assert compile_template(text).render(scope) == expected


def test_two_texts_beside_each_other_are_no_expression() -> None:
    with pytest.raises(ExpressionError, match="is not expected here"):
        compile_template("{{ 'a' 'b' if false else 'c' }}")


@pytest.mark.parametrize("text", ["false", "No", " OFF ", "0", "null", "None", "", "  ", "FALSE\n"])
def test_a_text_that_says_no_is_false(text: str) -> None:
    assert compile_condition("x").test({"x": text}) is False


@pytest.mark.parametrize("text", ["true", "yes", "on", "1", "00", "no!", "nil", "nobody", "0.0"])
def test_every_other_text_is_true(text: str) -> None:
    assert compile_condition("x").test({"x": text}) is True


# -- the environment


def test_fields_of_every_kind_may_come_from_the_environment() -> None:
    text = """
agents:
  a:
    system: "${S}"
    temperature: "${T:-0.5}"
    budget: "${M}"
    delegation: {blackboard: "${B}", max_depth: "${D}"}
    supervision: {strategy: "${X}", window: "${W}"}
settings: {values: {home: "$HOME", two: "${S}/${M}"}}
"""
    env = {**ENV, "S": "Be ${S}.", "M": "$2", "B": "true", "D": "3", "X": "stop", "W": "90", "HOME": "/h"}
    document = load(text, env=env).document
    agent = document.agents["a"]
    assert (agent.system, agent.temperature) == ("Be ${S}.", 0.5)
    assert agent.budget is not None
    assert agent.budget.limit_microusd == 2_000_000
    assert agent.delegation is not None
    assert (agent.delegation.blackboard, agent.delegation.max_depth) == (True, 3)
    assert agent.supervision is not None
    assert agent.supervision.window == 90.0
    assert document.settings.values == {"home": "$HOME", "two": "Be ${S}./$2"}


def test_a_key_is_no_place_for_a_variable() -> None:
    found = refusal("agents: {'${NAME}': {system: x}}", env={**ENV, "NAME": "a"}).diagnostics
    assert [each.code for each in found] == ["V015"]


# -- names


@pytest.mark.parametrize("name", ["hermes", "send", "for", "limit", "with", "fresh", "on_timeout"])
def test_words_of_workflows_and_vega_s_own_agents_are_no_names(name: str) -> None:
    assert codes(f"agents: {{{name}: {{system: x}}}}") == ["V015"]


@pytest.mark.parametrize("name", ["on", "yes", "null", "1", "a b", "ж", "steps.x", "agent"])
def test_anything_else_that_can_be_seen_is_a_name(name: str) -> None:
    text = f"agents: {{'{name}': {{system: x}}}}\nworkflows: {{w: {{steps: [{{'{name}': hi}}]}}}}"
    assert run(text, name="w").asks[0].agent == name


def test_an_agent_inherits_all_but_what_it_is_shown_as() -> None:
    text = AGENTS + (
        "  base: {system: x, title: T, avatar: a, description: D, display_name: N, tools: [read_file], budget: 1}\n"
        "  leaf: {extends: base, tools: [], retry: {max_attempts: 2}}\n"
    )
    leaf = load(text).document.agents["leaf"]
    assert (leaf.title, leaf.avatar, leaf.description, leaf.display_name) == ("", "", "", "")
    assert (leaf.system, leaf.tools) == ("x", ())
    assert leaf.budget is not None


@pytest.mark.parametrize(
    ("parent", "expected"),
    [
        ("tools: [nosuch]", ["V020"]),
        ("team: [nosuch]", ["V012"]),
        ("knowledge: [nosuch.md]", ["V017"]),
        ("team: [leaf]", ["V014"]),
        ("system: y, team: [leaf]", ["V014"]),
        ("team: [Writer], tools: [read_file]", []),
        ("tools: ['${UNSET}'], team: ['${UNSET}']", ["W109", "W109"]),
    ],
)
def test_what_is_inherited_is_checked_where_it_stands(parent: str, expected: list[str]) -> None:
    assert codes(AGENTS + f"  base: {{{parent}}}\n  leaf: {{extends: base, system: x}}\n") == expected


@pytest.mark.parametrize(
    ("agent", "settings", "expected"),
    [
        ("tools: [delegate]", "", ["V020"]),
        ("tools: [delegate], team: [Writer]", "", []),
        ("tools: [bb_read], team: [Writer]", "", ["V020"]),
        ("tools: [bb_read], team: [Writer], delegation: {blackboard: true}", "", []),
        ("tools: [bb_read], team: [Writer]", "delegation: {blackboard: true}", []),
        ("tools: [remember]", "", ["V020"]),
        ("tools: [remember]", "memory: {enabled: true}", []),
        ("tools: [load_skill]", "", []),
    ],
)
def test_a_tool_that_a_team_or_the_memory_brings_is_named_by_those_who_have_it(
    agent: str, settings: str, expected: list[str]
) -> None:
    assert codes(AGENTS + f"  leader: {{system: x, {agent}}}\nsettings: {{{settings}}}\n") == expected
    member = AGENTS.replace("Writer: {", "Writer: {tools: [bb_list], ")
    assert codes(member) == ["V020"]
    assert codes(member + "  lead: {system: x, team: [Writer], delegation: {blackboard: true}}\n") == []


def test_all_tools_stay_all_with_others_beside_them() -> None:
    assert load("agents: {a: {system: x, tools: [all, read_file]}}").document.agents["a"].tools == "all"
