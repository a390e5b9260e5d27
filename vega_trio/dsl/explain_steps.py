"""Explanations of what can be wrong with workflows, their inputs and expressions."""

from __future__ import annotations

from vega_trio.dsl.explanation import Explanation

_HEAD = "workflows:\n  write:\n    inputs: [topic]\n    steps:\n"


def steps_example(code: str, meaning: str, wrong: str, right: str) -> Explanation:
    """An explanation by two lists of steps."""
    return Explanation(code, meaning, _HEAD + _indented(wrong), _HEAD + _indented(right))


def _indented(text: str) -> str:
    return "\n".join(f"      {line}" for line in text.split("\n"))


STEPS = (
    steps_example(
        "V030",
        "A variable is used that nothing has set before, on any path.",
        "- Writer: Write about {{topc}}.",
        "- Writer: Write about {{topic}}.",
    ),
    steps_example(
        "V031",
        "No workflow of that name is declared.",
        "- Writer: Write about {{topic}}.\n- workflow: publish",
        "- Writer: Write about {{topic}}.\n- if: topic\n  workflow: write\n  with: {topic: '{{result}}'}",
    ),
    steps_example(
        "V032",
        "A step has exactly one action, and asking an agent needs a message.",
        "- Writer: Write about {{topic}}.\n  Reader: Read it.",
        "- Writer: Write about {{topic}}.\n- Reader: Read {{result}}.",
    ),
    steps_example(
        "V033",
        "An option stands twice, or at a step that it does not belong to.",
        "- Writer: {send: 'Write about {{topic}}.', save: text}\n  timeout: 5m",
        "- Writer: {send: 'Write about {{topic}}.', save: text, timeout: 5m}",
    ),
    steps_example(
        "V034",
        "A loop names its variable and its list: for: item in items.",
        "- for: topic\n  steps: [{Writer: Write.}]",
        "- for: word in topic | split:','\n  steps: [{Writer: 'Write about {{word}}.'}]",
    ),
    steps_example(
        "V035",
        "A branch of 'parallel' cannot return: the others are still running.",
        "- parallel:\n    - return: '{{topic}}'",
        "- parallel:\n    - Writer: Write about {{topic}}.\n- return: '{{result}}'",
    ),
    steps_example(
        "V036",
        "A workflow calls itself on every path, so it would never end.",
        "- Writer: Write about {{topic}}.\n- workflow: write\n  with: {topic: '{{result}}'}",
        "- Writer: Write about {{topic}}.\n- if: result | length > 1000\n  workflow: write\n"
        "  with: {topic: '{{result}}'}",
    ),
    steps_example(
        "V037",
        "The name of a variable or of a step has letters, digits and _, does not begin with a digit, and is no word "
        "of the language.",
        "- Writer: Write about {{topic}}.\n  save: first-draft",
        "- Writer: Write about {{topic}}.\n  save: first_draft",
    ),
    steps_example(
        "V040",
        "A required input is missing.",
        "- if: topic\n  workflow: write\n  with: {}",
        "- if: topic\n  workflow: write\n  with: {topic: more}",
    ),
    steps_example(
        "V041",
        "A workflow has no input of that name.",
        "- if: topic\n  workflow: write\n  with: {topic: more, lenght: 5}",
        "- if: topic\n  workflow: write\n  with: {topic: more}",
    ),
    Explanation(
        "V042",
        "An input does not have the declared type, or is not among what is allowed.",
        "workflows:\n  count:\n    inputs: {n: integer}\n    steps:\n"
        "      - if: n > 0\n        workflow: count\n        with: {n: three}",
        "workflows:\n  count:\n    inputs: {n: integer}\n    steps:\n"
        "      - if: n > 0\n        workflow: count\n        with: {n: 3}",
    ),
    Explanation(
        "V043",
        "The default of an input does not have the input's type, or is not among what is allowed.",
        "workflows:\n  count:\n    inputs: {n: {type: integer, default: three}}\n"
        "    steps: [{Writer: 'Count to {{n}}.'}]",
        "workflows:\n  count:\n    inputs: {n: {type: integer, default: 3}}\n    steps: [{Writer: 'Count to {{n}}.'}]",
    ),
    steps_example(
        "V050",
        "An expression cannot be read.",
        "- if: topic = 'trio'\n  then: [{Writer: Write.}]",
        "- if: topic == 'trio'\n  then: [{Writer: Write.}]",
    ),
    steps_example(
        "V051",
        "No filter of that name is known.",
        "- Writer: Write about {{topic | uppercase}}.",
        "- Writer: Write about {{topic | upper}}.",
    ),
    steps_example(
        "V052",
        "A filter has too few or too many arguments.",
        "- Writer: Write about {{topic | truncate}}.",
        "- Writer: Write about {{topic | truncate:100}}.",
    ),
    steps_example(
        "V053",
        "A '{{' is empty or not closed. Write \\{{ for the characters themselves.",
        "- Writer: Write about {{topic.",
        "- Writer: Write about {{topic}}.",
    ),
    steps_example(
        "V054",
        "Expressions cannot call anything; there are filters instead.",
        "- Writer: Write {{len(topic)}} words.",
        "- Writer: Write {{topic | length}} words.",
    ),
    steps_example(
        "V055",
        "An environment variable that looks like a secret would reach an agent; settings.expose_env allows it.",
        "- Writer: Log in with {{env.API_KEY}} and look up {{topic}}.",
        "- Writer: Look up {{topic}} in {{env.HOME}}.",
    ),
)
