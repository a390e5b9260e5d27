"""Documents: what is read from them, and every mistake with its code, place and remedy."""

from __future__ import annotations

import pytest
from dsl_cases import AGENTS, ENV, codes, load, refusal, run, workflow

from vega_trio.agent import BackoffType, Strategy

# -- the caret form


def test_an_error_shows_the_line_and_points_at_the_word() -> None:
    text = workflow("- Writer: fine\n- Raeder:\n    send: hi")
    assert str(refusal(text)) == (
        "error[V012]: unknown agent 'Raeder'\n"
        "  --> team.vega.yaml:8:9\n"
        "8:       - Raeder:\n"
        "           ^^^^^^ did you mean 'Reader' (line 3)?   vega explain V012"
    )


def test_the_caret_finds_its_place_in_a_block_of_text() -> None:
    text = workflow("- Writer: |\n    first line\n    second {{ tsak }} line", inputs="[task]")
    assert str(refusal(text)) == (
        "error[V030]: the variable 'tsak' is not defined here\n"
        "  --> team.vega.yaml:10:21\n"
        "10:           second {{ tsak }} line\n"
        "                        ^^^^ did you mean 'task'?   vega explain V030"
    )


@pytest.mark.parametrize(
    "send",
    [
        "- Writer: a {{ zz }}",
        "- Writer: 'it''s {{ zz }}'",
        '- Writer: "tab\\t\\u00e4{{ zz }}"',
        "- Writer: >\n    a\n    b {{ zz }}",
        "- Writer: >\n    a\n\n      b\n    c {{ zz }}",
        "- Writer: |-\n\n    a\n\n      b {{ zz }}",
        "- Writer: |2\n      b {{ zz }}",
        "- Writer: one\n    two {{ zz }}",
        "- Writer: one\n\n    two  three {{ zz }}",
        "- Writer: 'one  \n    two {{ zz }}'",
        '- Writer: "one\n    two {{ zz }}"',
        '- Writer: "one \\\n    two {{ zz }}"',
        "- if: result ==\n    zz\n  then: []",
        "- for x in zz | sort:\n    - Writer: a",
        "- for: x in  zz\n  steps: []",
        "- set: {a: ['b', {c: 'd {{ zz }}'}]}",
        "- return: zz.y",
    ],
)
def test_columns_are_exact_in_every_style_of_text(send: str) -> None:
    text = workflow(send, inputs="{}")
    if "return" in send:
        text = workflow(send + "\n- set: {zz: 1}", inputs="{}")
    found = refusal(text).diagnostics[0]
    at = text.index("zz")
    line = text.count("\n", 0, at) + 1
    column = at - text.rfind("\n", 0, at)
    assert (found.code, found.line, found.column) == ("V030", line, column)
    assert found.source[found.column - 1 : found.end_column - 1] in ("zz", "zz.y")


def test_all_errors_come_together_in_file_order() -> None:
    text = """
agents:
  a: {system: x, temperatur: 1, max_tokens: many}
  b: {temperature: 3}
workflows:
  w:
    steps:
      - c: hi
      - a: "{{ 1 + }}"
"""
    assert [(each.code, each.line) for each in refusal(text).diagnostics] == [
        ("V004", 3),
        ("V005", 3),
        ("V011", 4),
        ("V016", 4),
        ("V012", 8),
        ("V050", 9),
    ]


def test_fifty_errors_are_enough() -> None:
    text = "agents: {a: {system: x}}\n" + "".join(f"key{i}: 1\n" for i in range(80))
    assert len(refusal(text).diagnostics) == 50


# -- one mistake, one code


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", ["V010"]),
        ("agents:", ["V010"]),
        ("workflows: {}", ["V010"]),
        ("[]", ["V005"]),
        ("agents: [1", ["V002"]),
        ("agents:\n\ta: 1", ["V002"]),
        ("a: b: c", ["V002"]),
        ("agents: {a: {system: x}}\nagents: {}", ["V003"]),
        ("agents: {a: {system: x, system: y}}", ["V003"]),
        ("agents: {a: {system: x}}\n---\nagents: {}", ["V007"]),
        ("agents: {a: {system: !secret x}}", ["V007"]),
        ("agents: &a {a: *a}", ["V007"]),
        ("agents: {a: *none}", ["V002"]),
        ("agents: {a: {system: x}}\nagnets: 1", ["V004"]),
        ("agents: {a: {system: x}}\nx-mine: 1", []),
        ("agents: {a: {system: x}}\nchannels: 1\ncompany: 2", ["W113", "W113"]),
        ("agents: {a: {system: x}}\nname: 5", ["V005"]),
        ("agents: {a: {system: x}}\nname: '5'", []),
        ("agents: {a: text}", ["V005"]),
        ("agents: text", ["V005"]),
        ("agents: {a: {name: b, system: x}}", ["V015"]),
        ("agents: [{name: a, system: x}]", []),
        ("agents: [{system: x}]", ["V015"]),
        ("agents: [{name: a, system: x}, {name: a, system: x}]", ["V003"]),
        ("agents: {'a/b': {system: x}}", ["V015"]),
        ("agents: {'': {system: x}}", ["V015"]),
        ("agents: {if: {system: x}}", ["V015"]),
        ("agents: {save: {system: x}}", ["V015"]),
        ("agents: {mother: {system: x}}", ["V015"]),
        ("agents: {" + "a" * 129 + ": {system: x}}", ["V015"]),
        ("agents: {a: {model: demo}}", ["V011"]),
        ("agents: {a: {system: x, extends: b}}", ["V013"]),
        ("agents: {a: {system: x, extends: b}, b: {system: x, extends: a}}", ["V013"]),
        ("agents: {a: {system: x, team: [a]}}", ["V014"]),
        ("agents: {a: {system: x, team: [b]}}", ["V012"]),
        ("agents: {a: {system: x, temperature: 2.1}}", ["V016"]),
        ("agents: {a: {system: x, temperature: 1}}", []),
        ("agents: {a: {system: x, temperature: hot}}", ["V005"]),
        ("agents: {a: {system: x, max_iterations: 0}}", ["V016"]),
        ("agents: {a: {system: x, max_tokens: 1.5}}", ["V005"]),
        ("agents: {a: {system: x, max_tokens: true}}", ["V005"]),
        ("agents: {a: {system: x, budget: five}}", ["V016"]),
        ("agents: {a: {system: x, budget: $0.1234567}}", ["V016"]),
        ("agents: {a: {system: x, budget: -1}}", ["V016"]),
        ("agents: {a: {system: x, budget: {on_exceed: warn}}}", ["V016"]),
        ("agents: {a: {system: x, supervision: {strategy: retry}}}", ["V016"]),
        ("agents: {a: {system: x, supervision: {window: 5 minutes}}}", ["V016"]),
        ("agents: {a: {system: x, supervision: {max_restarts: -2}}}", ["V016"]),
        ("agents: {a: {system: x, supervision: {backoff: {type: fast}}}}", ["V016"]),
        ("agents: {a: {system: x, supervision: {restarts: 3}}}", ["V004"]),
        ("agents: {a: {system: x, retry: {retry_on: [boredom]}}}", ["V016"]),
        ("agents: {a: {system: x, tools: [read_fiel]}}", ["V020"]),
        ("agents: {a: {system: x, tools: [read_file, web_search]}}", []),
        ("agents: {a: {system: x, tools: all}}", []),
        ("agents: {a: {system: x, tools: 5}}", ["V005"]),
        ("agents: {a: {system: x, tools: ['fs__*']}}", ["V021"]),
        ("agents: {a: {system: x, tools: ['fs__*', fs__read]}}\nsettings: {mcp: {servers: [fs]}}", ["W110"]),
        ("agents: {a: {system: x, knowledge: [notes.md, 'x/*.md']}}", ["V017"]),
        ("agents: {a: {system: x, knowledge: ['docs://x']}}", ["V021"]),
        ("agents: {a: {system: x, knowledge: ['docs://x']}}\nsettings: {mcp: {servers: [docs]}}", []),
        ("agents: {a: {system: x, delegation: {include_roles: [boss]}}}", ["V016"]),
        ("agents: {a: {system: x}}\nsettings: {default_temperature: 9}", ["V016"]),
        ("agents: {a: {system: x}}\nsettings: {idle_stop: never}", ["V016"]),
        ("agents: {a: {system: x}}\nsettings: {keep_events: 6h}", ["V016"]),
        ("agents: {a: {system: x}}\nsettings: {prices: {m: {input: $1, output: 2, cache_read: 0.1}}}", []),
        ("agents: {a: {system: x}}\nsettings: {prices: {m: {input: $1}}}", ["V016"]),
        ("agents: {a: {system: x}}\nsettings: {prices: {m: {input: 1, output: dear}}}", ["V016"]),
        ("agents: {a: {system: x}}\nsettings: {prices: {m: {input: 1, output: 2, per: 5}}}", ["V004"]),
        ("agents: {a: {system: x}}\nsettings: {prices: {m: 5}}", ["V005"]),
        ("agents: {a: {system: x}}\nsettings: {http: {allow: ['a b']}}", ["V016"]),
        ("agents: {a: {system: x}}\nsettings: {http: {allow: ['10.0.0.0/8', 'localhost:80', '::1']}}", []),
        ("agents: {a: {system: x}}\nsettings: {http: {allow: ['[::1]:80', my_host]}}", []),
        ("agents: {a: {system: x}}\nsettings: {http: {allow: ['*.example.com']}}", ["V016"]),
        ("agents: {a: {system: x}}\nsettings: {http: {allow: ['host:99999']}}", ["V016"]),
        ("agents: {a: {system: x}}\nsettings: {max_processes: 0x%s}" % ("f" * 290), ["V005"]),
        ("agents: {a: {system: x}}\nsettings: {commands: {sandbox: jail}}", ["V016"]),
        ("agents: {a: {system: x}}\nsettings: {api_key: sk-1}", ["W108"]),
        ("agents: {a: {system: x}}\nsettings: {mcp: {servers: [{name: a, transport: http}]}}", ["V016"]),
        ("agents: {a: {system: x}}\nsettings: {mcp: {servers: [a__b, 'my server', a.b-c_d]}}", ["V015", "V015"]),
        ("agents: {a: {system: x}}\nsettings: {mcp: {servers: {a: {command: x}, b: {url: 'http://x'}}}}", []),
        ("agents: {a: {system: x}}\nsettings: {sandboxx: y}", ["V004"]),
        ("agents: {a: {system: x}}\nsettings: {values: {a: .inf}}", ["V005"]),
    ],
)
def test_a_document_gives_the_codes(text: str, expected: list[str]) -> None:
    assert codes(text) == expected


@pytest.mark.parametrize(
    ("steps", "expected"),
    [
        ("- hello", ["V032"]),
        ("- {}", ["V032"]),
        ("- save: x", ["V032"]),
        ("- Writer:", ["V032"]),
        ("- Writer: {save: x}", ["V032"]),
        ("- Writer: [a]", ["V005"]),
        ("- Writer: a\n  Reader: b", ["V032"]),
        ("- Writer: a\n  set: {x: 1}", ["V032"]),
        ("- Writer: a\n  saev: x", ["V004"]),
        ("- paralel: [{Writer: a}]", ["V004"]),
        ("- Nobody: a", ["V012"]),
        ("- parallel: {agent: Nobody, inputs: [a]}", ["V012"]),
        ("- parallel: {agent: Writer}", ["V032"]),
        ("- parallel: {inputs: [a]}", ["V032"]),
        ("- parallel: 5", ["V005"]),
        ("- Writer: {send: a, save: x}\n  timeout: 5s", ["V033"]),
        ("- set: {x: 1}\n  retry: 3", ["V033"]),
        ("- Writer: a\n  catch: []", ["V033"]),
        ("- Writer: a\n  on_timeout: [{Reader: b}]", ["V033"]),
        ("- recall: {key: a, save: x}\n  save: y", ["V033"]),
        ("- Writer: a\n  timeout: soon", ["V016"]),
        ("- Writer: a\n  timeout: 0", ["V016"]),
        ("- Writer: a\n  format: xml", ["V016"]),
        ("- Writer: a\n  schema: {type: nothing}", ["V016"]),
        ("- Writer: a\n  schema: {$ref: 'http://x/y'}", ["V016"]),
        ("- Writer: a\n  continue_on_error: maybe", ["V005"]),
        ("- Writer: a\n  save: 2nd", ["V037"]),
        ("- Writer: a\n  save: loop", ["V037"]),
        ("- Writer: a\n  save: and", ["V037"]),
        ("- set: {steps: 1}", ["V037"]),
        ("- set: 5", ["V005"]),
        ("- if: result > 1", ["V032"]),
        ("- if: [1]\n  then: []", ["V005"]),
        ("- for: items\n  steps: []", ["V034"]),
        ("- for: x in\n  steps: []", ["V034"]),
        ("- for: x in [1]", ["V034"]),
        ("- for: loop in [1]\n  steps: []", ["V037"]),
        ("- repeat: {max: 3}", ["V032"]),
        ("- repeat: {steps: [{Writer: a}], max: 0}", ["V016"]),
        ("- try: [{Writer: a}]", ["V032"]),
        ("- parallel: [{return: 1}]", ["V035"]),
        ("- parallel: [{if: true, then: [{for: 'x in [1]', steps: [{return: 1}]}]}]", ["V035"]),
        ("- workflow: mian", ["V031"]),
        ("- workflow: main", ["V036"]),
        ("- if: true\n  workflow: main", []),
        ("- parallel: [{workflow: main}]", ["V036"]),
        ("- remember: {key: a}", ["V032"]),
        ("- remember: {key: a, value: null}", []),
        ("- recall: {save: x}", ["V032"]),
        ("- Writer: '{{ a'", ["V053"]),
        ("- Writer: '{{ x | nothing }}'", ["V051"]),
        ("- Writer: '{{ result | truncate }}'", ["V052"]),
        ("- Writer: '{{ len(result) }}'", ["V054"]),
        ("- Writer: '{{ env.API_KEY }}'", ["V055"]),
        ("- Writer: '{{ env.my_token }}'", ["V055"]),
        ("- Writer: '{{ env.HOME }}'", []),
        ("- Writer: '{{ env }}'", ["V030"]),
        ("- Writer: '{{ steps.nobody.output }}'", ["V030"]),
        ("- Writer: a\n- Writer: '{{ steps.writer.outptu }}'", ["V030"]),
        ("- Writer: '{{ loop.index }}'", ["V030"]),
        ("- Writer: '{{ item }}'", ["V030"]),
        ("- Writer: '{{ error }}{{ result }}{{ input }}{{ now }}'", []),
        ("- for: x in [1]\n  steps: [{Writer: '{{ loop.indx }}'}]", ["V030"]),
        ("- Writer: '{{ result + result | upper }}'", ["W106"]),
        ("- parallel: [{Writer: a, save: x}, {Reader: b, save: x}]", ["W105"]),
    ],
)
def test_a_step_gives_the_codes(steps: str, expected: list[str]) -> None:
    found = codes(workflow(steps, inputs="{}"))
    assert [code for code in found if code != "W101"] == expected


# -- variables


@pytest.mark.parametrize(
    ("steps", "expected"),
    [
        ("- Writer: '{{x}}'\n- Writer: a\n  save: x", ["V030"]),
        ("- Writer: a\n  save: x\n- Writer: '{{x}}'", []),
        ("- if: input\n  then: [{Writer: a, save: x}]\n- Writer: '{{x}}'", ["W103"]),
        ("- if: input\n  then: [{Writer: a, save: x}]\n- Writer: '{{x | default:b}}'", []),
        ("- if: input\n  then: [{Writer: a, save: x}]\n  else: [{Writer: b, save: x}]\n- Writer: '{{x}}'", []),
        ("- if: input\n  then: [{return: 1}]\n  else: [{Writer: b, save: x}]\n- Writer: '{{x}}'", []),
        ("- Writer: a\n  if: input\n  save: x\n- Writer: '{{x}}'", ["W103"]),
        ("- for: i in [1]\n  steps: [{Writer: a, save: x}]\n- Writer: '{{x}}'", ["W103"]),
        ("- for: i in [1]\n  steps: [{Writer: '{{x}}'}, {Writer: a, save: x}]", ["W103"]),
        ("- for: i in [1]\n  steps: []\n- Writer: '{{i}}'", ["V030"]),
        ("- for: i in [1]\n  steps: []\n- Writer: '{{loop.count}}'", []),
        ("- repeat: {max: 2, steps: [{Writer: a, save: x}]}\n- Writer: '{{x}}'", []),
        ("- repeat: {until: x, steps: [{Writer: a, save: x}]}", []),
        ("- try: [{Writer: a, save: x}]\n  catch: [{Writer: '{{x}}'}]", ["W103"]),
        ("- try: [{Writer: a, save: x}]\n  catch: []\n- Writer: '{{x}}'", ["W103"]),
        ("- try: [{Writer: a, save: x}]\n  catch: [{Writer: b, save: x}]\n- Writer: '{{x}}'", []),
        ("- parallel: [{Writer: a, save: x}, {Writer: '{{x}}'}]", ["V030"]),
        ("- parallel: [{Writer: a, save: x}, {Writer: b, save: y}]\n- Writer: '{{x}}{{y}}'", []),
        ("- Writer: a\n  continue_on_error: true\n  save: x\n- Writer: '{{x}}'", []),
        ("- set: {x: 1, y: '{{x}}'}", []),
        ("- set: {x: '{{y}}', y: 1}", ["V030"]),
        ("- if: nothing\n  then: []", ["W104"]),
        ("- if: x\n  then: []\n- set: {x: 1}", []),
        ("- Writer: a\n  save: 'r_{{random}}'\n- Writer: '{{r_5}}'", []),
        ("- Writer: '{{ [1 if q else 2] }}'", ["W104"]),
        ("- Writer: a\n  timeout: 1s\n  on_timeout: []\n  save: x\n- Writer: '{{x}}'", []),
        ("- Writer: a\n  id: first\n- Writer: '{{first}}{{steps.first.status}}'", []),
    ],
)
def test_variables_are_followed_along_the_steps(steps: str, expected: list[str]) -> None:
    found = codes(workflow(steps, inputs="{}"))
    assert [code for code in found if code != "W101"] == expected


def test_an_undefined_variable_names_what_there_is() -> None:
    text = workflow("- Writer: a\n  save: draft\n- Writer: '{{text}}'", inputs="[topic]")
    hint = refusal(text).diagnostics[0].hint
    assert hint == "the variables here are: topic (input), draft (line 8)"
    later = workflow("- Writer: '{{draft}}'\n- Writer: a\n  save: draft", inputs="{}")
    assert refusal(later).diagnostics[0].hint == "it is set later: line 9"


def test_without_inputs_the_free_names_are_the_inputs() -> None:
    steps = "- Writer: 'Write {{topic}} for {{who | default:all}}'\n  save: text\n- for: item in items\n  steps: []"
    definition = load(workflow(steps)).document.workflows["main"]
    assert {name: (each.type, each.required) for name, each in definition.inputs.items()} == {
        "topic": ("any", True),
        "who": ("any", False),
        "items": ("any", True),
    }


def test_a_slip_of_a_variable_is_no_free_name() -> None:
    assert codes(workflow("- Writer: a\n  save: draft\n- Writer: '{{drafd}}'")) == ["V030"]


@pytest.mark.parametrize(
    ("inputs", "primary"),
    [
        ("[a, task, input]", "task"),
        ("[a, input, message]", "input"),
        ("[a, message]", "message"),
        ("{a: string, b: {default: x}}", "a"),
        ("{b: {default: x}}", "b"),
        ("[a, b]", None),
        ("{}", None),
    ],
)
def test_the_primary_input_is_found(inputs: str, primary: str | None) -> None:
    assert load(workflow("- Writer: a", inputs=inputs)).document.workflows["main"].primary == primary


@pytest.mark.parametrize(
    ("inputs", "expected"),
    [
        ("{n: {type: integer, default: x}}", ["V043"]),
        ("{n: {type: integer, default: '5'}}", []),
        ("{n: {type: integer, default: 5, max: 3}}", ["V043"]),
        ("{n: {enum: [a, b], default: c}}", ["V043"]),
        ("{n: {required: true, default: x}}", ["W112"]),
        ("{n: integr}", ["V016"]),
        ("{n: {typ: integer}}", ["V004"]),
        ("[n, n]", ["V003"]),
        ("{loop: string}", ["V037"]),
        ("5", ["V005"]),
        ("[{type: string}]", ["V005"]),
    ],
)
def test_declared_inputs_are_checked(inputs: str, expected: list[str]) -> None:
    found = codes(workflow("- Writer: '{{n | default:x}}'", inputs=inputs))
    assert [code for code in found if code != "W101"] == expected


def test_an_unused_input_and_an_unused_agent_are_told() -> None:
    found = load(workflow("- Writer: a", inputs="[topic]")).warnings
    assert [(each.code, each.message) for each in found] == [
        ("W101", "no workflow and no team uses the agent 'Reader'"),
        ("W102", "the input 'topic' is never used"),
    ]


OTHER = "  other:\n    inputs: {n: integer, m: {default: x}}\n    steps: [{Reader: '{{n}}{{m}}'}]\n"


@pytest.mark.parametrize(
    ("call", "expected"),
    [
        ("{n: 5}", []),
        ("{n: '{{result}}', m: y}", []),
        ("{}", ["V040"]),
        ("{n: 5, o: 1}", ["V041"]),
        ("{n: five}", ["V042"]),
        ("{n: 1.5}", ["V042"]),
        ("{task: 5}", []),
    ],
)
def test_the_inputs_of_a_called_workflow_are_checked(call: str, expected: list[str]) -> None:
    assert [
        code for code in codes(workflow(f"- workflow: other\n  with: {call}", more=OTHER)) if code != "W101"
    ] == expected


def test_workflows_that_call_each_other_without_end_are_refused() -> None:
    more = "  a:\n    steps: [{workflow: b}]\n  b:\n    steps: [{Writer: x}, {workflow: a}]\n"
    error = refusal(workflow("- Reader: x", more=more))
    assert [each.code for each in error.diagnostics] == ["V036", "V036"]
    assert error.diagnostics[0].message == "'a' calls itself without end: a -> b -> a"


def test_a_return_before_the_call_ends_the_recursion() -> None:
    steps = "- if: input\n  then: [{return: 1}]\n- workflow: main\n  with: {}"
    assert "V036" not in codes(workflow(steps, inputs="{}"))


@pytest.mark.parametrize(
    ("output", "given", "warned"),
    [
        ("draft", "<a>", []),
        ("steps.draft.status", "completed", []),
        ("'{{draft}}'", "<a>", []),
        ("Done and dusted", "Done and dusted", ["W111"]),
        ("nothing", "nothing", ["W111"]),
    ],
)
def test_an_output_is_a_variable_or_literal(output: str, given: str, warned: list[str]) -> None:
    text = workflow("- Writer: a\n  save: draft\n- Reader: b", output=output)
    assert codes(text) == warned
    assert run(text).value == given


# -- agents


def test_an_agent_is_read_with_every_key() -> None:
    text = """
agents:
  a:
    name: a
    display_name: A
    title: The First
    avatar: a.png
    description: First of all.
    model: claude-sonnet-5-5
    fallback_model: demo
    system: Be first.
    temperature: 0.5
    max_tokens: 100
    max_iterations: 7
    budget: {limit: $1.50, on_exceed: warn}
    tools: [read_file]
    knowledge: ["notes/*.md"]
    team: [b]
    delegation: {context_window: 2, include_roles: [user], blackboard: true, max_depth: 2}
    supervision:
      strategy: escalate
      max_restarts: -1
      window: 1h30m
      backoff: {type: linear, initial: 500ms, jitter: 0.5}
    retry: {max_attempts: 2, backoff: constant, retry_on: [timeout]}
    rate_limit: {requests_per_minute: 10}
    circuit_breaker: {threshold: 2, reset_after: 1m, half_open_max: 3}
    skills: {directories: [s], include: ["x-*"], exclude: [y], max_active: 1}
    context: {strategy: sliding_window, keep: 5}
  b: {system: Be second.}
"""
    agent = load(text).document.agents["a"]
    assert (agent.display_name, agent.title, agent.avatar) == ("A", "The First", "a.png")
    assert (agent.model, agent.fallback_model, agent.temperature) == ("claude-sonnet-5-5", "demo", 0.5)
    assert (agent.max_tokens, agent.max_iterations, agent.tools, agent.team) == (100, 7, ("read_file",), ("b",))
    assert agent.budget is not None
    assert (agent.budget.limit_microusd, agent.budget.on_exceed) == (1_500_000, "warn")
    assert agent.supervision is not None
    assert (agent.supervision.strategy, agent.supervision.max_restarts) == (Strategy.ESCALATE, None)
    assert (agent.supervision.window, agent.supervision.backoff.type) == (5400.0, BackoffType.LINEAR)  # type: ignore[union-attr]
    assert agent.retry is not None
    assert (agent.retry.max_attempts, agent.retry.backoff.type) == (2, BackoffType.CONSTANT)
    assert agent.delegation is not None
    assert (agent.delegation.context_window, agent.delegation.blackboard) == (2, True)
    assert agent.skills is not None
    assert agent.skills.include == ("x-*",)
    assert agent.context is not None
    assert (agent.context.strategy, agent.context.keep) == ("sliding_window", 5)


def test_an_agent_takes_over_what_it_extends() -> None:
    text = """
agents:
  base:
    model: demo
    display_name: Base
    temperature: 0.1
    supervision: {max_restarts: 1, window: 1m}
  middle: {extends: base, tools: [read_file], supervision: {max_restarts: 2}}
  leaf: {extends: middle, system: Leaf., temperature: 0.9}
"""
    agents = load(text, env={}).document.agents
    assert list(agents) == ["leaf"]
    leaf = agents["leaf"]
    assert (leaf.model, leaf.temperature, leaf.tools, leaf.display_name) == ("demo", 0.9, ("read_file",), "")
    assert leaf.supervision is not None
    assert (leaf.supervision.max_restarts, leaf.supervision.window) == (2, 60.0)


def test_an_agent_that_is_only_extended_cannot_be_asked() -> None:
    text = "agents: {base: {model: demo}, leaf: {extends: base, system: x}}\nworkflows: {w: {steps: [{base: hi}]}}"
    assert refusal(text).diagnostics[0].message == "the agent 'base' has no 'system' and can only be extended"


@pytest.mark.parametrize(
    ("text", "env", "expected"),
    [
        ("agents: {a: {system: x}}", {}, ["V011"]),
        ("agents: {a: {system: x, model: demo}}", {}, []),
        ("agents: {a: {system: x}}", ENV, []),
        ("agents: {a: {system: x}}\nsettings: {default_model: demo}", {}, []),
    ],
)
def test_a_model_may_come_from_anywhere(text: str, env: dict[str, str], expected: list[str]) -> None:
    assert codes(text, env=env) == expected


def test_settings_are_read_with_every_key() -> None:
    text = """
agents: {a: {system: x}}
settings:
  default_model: demo
  default_temperature: 1
  sandbox: ./here
  budget: {limit: 100, per: month}
  supervision: {strategy: stop}
  rate_limit: {requests_per_minute: 60, strategy: reject, models: {demo: {tokens_per_minute: 5}}}
  logging: {level: info, file: x.log, format: json}
  tracing: {enabled: true, exporter: jaeger}
  skills: {directories: [a, b], trust: [c]}
  http: {allow: [localhost]}
  commands: {sandbox: none}
  durability: process
  values: {owner: me, n: 5}
  expose_env: [MY_KEY]
  approvals: {tools: ["*_file"], mixing: allow, timeout: 1m}
  memory: {enabled: true, model: demo}
  max_processes: 10
  idle_stop: 5m
  keep_events: 200h
  shutdown_timeout: 0
  limits: {body: 1000}
  mcp:
    servers:
      - registry-name
      - {name: own, command: run, args: [-x], env: {A: "$HOME", B: "${HOME}"}, timeout: 5s}
"""
    settings = load(text, env={"HOME": "/h"}).document.settings
    assert (settings.default_temperature, settings.sandbox, settings.shutdown_timeout_s) == (1, "./here", 0.0)
    assert settings.budget is not None
    assert (settings.budget.limit_microusd, settings.budget.per) == (100_000_000, "month")
    assert settings.rate_limit is not None
    assert settings.rate_limit.models["demo"].tokens_per_minute == 5
    assert settings.tracing is not None
    assert settings.tracing.exporter == "otlp"
    assert settings.values == {"owner": "me", "n": 5}
    first, second = settings.mcp_servers
    assert (first.name, first.command) == ("registry-name", None)
    assert (second.args, dict(second.env), second.timeout_s) == (("-x",), {"A": "/h", "B": "/h"}, 5.0)


# -- limits


@pytest.mark.parametrize(
    "text",
    [
        "a: " + "[" * 10_000,
        "a: " + "{a: " * 60 + "1" + "}" * 60,
        "a: " + "- " * 200,
        "- " * 60 + "a",
        "a: &a [x, x, x, x, x, x, x, x, x]\n"
        + "".join(f"{chr(98 + i)}: &{chr(98 + i)} [{', '.join(['*' + chr(97 + i)] * 9)}]\n" for i in range(9)),
        "a: &a 1\nb: [" + ", ".join(["*a"] * 101) + "]",
        "a: '" + "x" * 300_000 + "'",
    ],
)
def test_a_bomb_is_refused_at_once(text: str) -> None:
    found = refusal(text)
    assert found.diagnostics[0].code in ("V006", "V002")


def test_a_file_has_a_size() -> None:
    assert codes(b"#" * (1024 * 1024 + 1)) == ["V006"]


def test_a_document_has_a_thousand_agents_at_most() -> None:
    agents = "".join(f"  a{i}: {{system: x}}\n" for i in range(1001))
    assert codes("agents:\n" + agents) == ["V006"]


def test_what_is_no_text_is_told_as_such() -> None:
    assert codes(b"\xff\xfe") == ["V001"]
    assert codes("agents: {a: {system: x}}\n".encode("utf-8-sig")) == []
    assert codes(b"a: \x01") == ["V002"]
    assert codes(b'a: "\\ud800"') == ["V002"]
    assert codes(b'a: "\\Uffffffff"') == ["V002"]


def test_plain_words_are_those_of_yaml_1_2() -> None:
    text = (
        "agents: {a: {system: x}}\n"
        "settings: {values: {a: yes, b: 0644, c: 0o17, d: 2024-01-01, e: 1_000, f: 0b1, g: 1e3, h: ~, i: .5}}"
    )
    values = load(text).document.settings.values
    assert values == {
        "a": "yes",
        "b": 644,
        "c": 15,
        "d": "2024-01-01",
        "e": "1_000",
        "f": "0b1",
        "g": 1000.0,
        "h": None,
        "i": 0.5,
    }


def test_anchors_and_merges_work() -> None:
    text = AGENTS.replace("{system: You write.}", "&w {system: You write., temperature: 1}").replace(
        "{system: You read.}", "{<<: *w, system: You read.}"
    )
    agents = load(text).document.agents
    assert (agents["Reader"].system, agents["Reader"].temperature) == ("You read.", 1)


PROVIDERS = ("anthropic", "demo", "openai")


@pytest.mark.parametrize(
    ("text", "place", "message", "hint"),
    [
        (
            "agents:\n  W: {system: x, model: foo:bar}",
            (2, 25),
            "unknown model provider 'foo'",
            "the providers are: anthropic, demo, openai",
        ),
        (
            "agents:\n  W: {system: x, model: antropic:claude}",
            (2, 25),
            "unknown model provider 'antropic'",
            "did you mean 'anthropic'?",
        ),
        (
            "agents: {W: {system: x}}\nsettings:\n  default_model: foo:bar",
            (3, 18),
            "unknown model provider 'foo'",
            "the providers are: anthropic, demo, openai",
        ),
        (
            "agents:\n  W: {system: x, model: 'openai:'}",
            (2, 25),
            "'openai:' names no model",
            "write for example: openai:NAME",
        ),
    ],
)
def test_a_provider_of_models_that_the_application_lacks_is_told_at_its_place(
    text: str, place: tuple[int, int], message: str, hint: str
) -> None:
    (found,) = refusal(text, providers=PROVIDERS).diagnostics
    assert (found.code, (found.line, found.column), found.message, found.hint) == ("V016", place, message, hint)


def test_an_inherited_model_is_told_once() -> None:
    text = "agents:\n  A: {system: x, model: foo:bar}\n  B: {extends: A}\n  C: {extends: A}"
    assert len(refusal(text, providers=PROVIDERS).diagnostics) == 1


@pytest.mark.parametrize("model", ["demo", "gpt-5", "openai:gpt-5", "anthropic:a:b", "'${NOWHERE}'"])
def test_a_model_of_a_known_provider_is_taken_as_it_is_written(model: str) -> None:
    assert load(f"agents: {{W: {{system: x, model: {model}}}}}", providers=PROVIDERS).document.agents["W"]


@pytest.mark.parametrize(
    ("model", "hint"),
    [
        ("claude-sonet-5-5", "did you mean 'claude-sonnet-5-5'?"),
        ("anthropic:cluade-opus-4", "did you mean 'anthropic:claude-opus-4'?"),
        ("gtp-5", "did you mean 'gpt-5'?"),
        ("dmeo", "did you mean 'demo'?"),
        ("llama3", "write anthropic:llama3 if it is, else for example openai:llama3"),
    ],
)
def test_a_model_that_one_may_doubt_is_taken_with_a_warning(model: str, hint: str) -> None:
    parsed = load(f"agents:\n  W: {{system: x, model: {model}}}", providers=PROVIDERS)
    assert [(each.code, each.line, each.hint) for each in parsed.warnings] == [("W117", 2, hint)]
    assert parsed.document.agents["W"].model == model


@pytest.mark.parametrize(
    "model",
    [
        "claude-sonnet-4-20250514",
        "claude-opus-9-preview",
        "claude-newname-1",
        "Claude-Opus-4",
        "gpt-5-mini",
        "gpt-opt",
        "demo",
        "openai:gtp-5",
        "anthropic:kimi-k2",
    ],
)
def test_a_model_is_not_doubted_for_its_version_its_family_or_its_provider(model: str) -> None:
    assert load(f"agents: {{W: {{system: x, model: '{model}'}}}}", providers=PROVIDERS).warnings == ()


def test_any_provider_will_do_for_who_knows_none() -> None:
    assert load("agents: {W: {system: x, model: foo:bar}}").document.agents["W"].model == "foo:bar"


@pytest.mark.parametrize(
    ("servers", "column"), [("[githbu]", 28), ("{githbu: {args: [x]}}", 28), ("[{name: githbu}]", 35)]
)
def test_a_server_that_is_only_named_is_one_of_the_registry(servers: str, column: int) -> None:
    text = f"agents: {{a: {{system: x}}}}\nsettings: {{mcp: {{servers: {servers}}}}}"
    (found,) = refusal(text, registry=["github", "fetch"]).diagnostics
    assert (found.code, found.line, found.column, found.hint) == (
        "V021", 2, column, "did you mean 'github'?"
    )  # fmt: skip
    known = text.replace("githbu", "github")
    assert load(known, registry=["github", "fetch"]).document.settings.mcp_servers[0].name == "github"
    assert load(text).document.settings.mcp_servers[0].name == "githbu"
