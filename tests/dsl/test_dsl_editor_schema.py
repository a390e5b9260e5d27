"""The JSON Schema that editors use says what the parser does."""

from __future__ import annotations

from typing import Any

import jsonschema_rs
import pytest
from dsl_cases import ENV, MemoryFiles, load
from ruamel.yaml import YAML

from vega_trio.diagnostics import Diagnostic
from vega_trio.dsl.editor_schema import json_schema
from vega_trio.dsl.explain import EXPLANATIONS
from vega_trio.dsl.parse import parse_text
from vega_trio.errors import DocumentError

SCHEMA = json_schema()
VALIDATOR = jsonschema_rs.validator_for(SCHEMA)
PLACES = {
    "agent": "agents: {a: {system: x, KEY: }}",
    "settings": "agents: {a: {system: x}}\nsettings: {KEY: }",
    "workflow": "agents: {a: {system: x}}\nworkflows: {w: {steps: [a: x], KEY: }}",
    "supervision": "agents: {a: {system: x, supervision: {KEY: }}}",
    "retry": "agents: {a: {system: x, retry: {KEY: }}}",
    "skills": "agents: {a: {system: x, skills: {KEY: }}}",
    "context": "agents: {a: {system: x, context: {KEY: }}}",
    "delegation": "agents: {a: {system: x, delegation: {KEY: }}}",
    "circuit_breaker": "agents: {a: {system: x, circuit_breaker: {KEY: }}}",
    "rate_limit": "agents: {a: {system: x}}\nsettings: {rate_limit: {KEY: }}",
    "logging": "agents: {a: {system: x}}\nsettings: {logging: {KEY: }}",
    "tracing": "agents: {a: {system: x}}\nsettings: {tracing: {KEY: }}",
    "approvals": "agents: {a: {system: x}}\nsettings: {approvals: {KEY: }}",
    "server": "agents: {a: {system: x}}\nsettings: {mcp: {servers: {s: {KEY: }}}}",
    "tool": "agents: {a: {system: x}}\ntools: {t: {KEY: }}",
}
INNER = {
    "backoff": "agents: {a: {system: x, supervision: {backoff: {KEY: }}}}",
    "budget": "agents: {a: {system: x}}\nsettings: {budget: {KEY: }}",
    "param": "agents: {a: {system: x}}\ntools: {t: {run: date, params: {p: {KEY: }}}}",
    "input": "agents: {a: {system: x}}\nworkflows: {w: {steps: [a: x], inputs: {i: {KEY: }}}}",
}


def keys(schema: dict[str, Any]) -> list[str]:
    if "properties" in schema:
        return list(schema["properties"])
    return [key for each in schema["anyOf"] if "properties" in each for key in each["properties"]]


CASES = [(text, key) for name, text in {**PLACES, **INNER}.items() for key in keys(SCHEMA["$defs"][name])]


def unknown(text: str) -> list[Diagnostic]:
    try:
        parse_text(text.encode(), "t.vega.yaml", MemoryFiles(), env=ENV)
    except DocumentError as error:
        return [each for each in error.diagnostics if each.code == "V004"]
    return []


@pytest.mark.parametrize(("text", "key"), CASES)
def test_every_key_of_the_schema_is_one_of_the_language(text: str, key: str) -> None:
    assert unknown(text.replace("KEY", key)) == []
    assert unknown(text.replace("KEY", "no_such_key")) != []


def problems(text: str) -> list[str]:
    data = YAML(typ="safe", pure=True).load(text)
    return [f"{error.instance_path}: {error.message}" for error in VALIDATOR.iter_errors(data)]


@pytest.mark.parametrize("code", [code for code in EXPLANATIONS if code[0] in "VW"])
def test_what_the_explanations_call_right_fits(code: str) -> None:
    text = EXPLANATIONS[code].right
    if text.startswith(("agents:", "name:")):
        assert problems(text) == []


@pytest.mark.parametrize(
    "text",
    [
        "agents: {a: {system: x, modell: demo}}",
        "agents: {a: {system: x, max_tokens: many}}",
        "agents: {a: {system: x, supervision: {strategy: pray}}}",
        "agnets: {}",
        "agents: {a: {system: x}}\nworkflows: {w: {stpes: []}}",
        "agents: {a: {system: x}}\nsettings: {limits: {bodies: 1}}",
        "agents: {a: {system: x}}\ntools: {t: {implementation: {type: http}}}",
    ],
)
def test_a_mistake_does_not_fit(text: str) -> None:
    assert problems(text) != []


def test_a_document_in_all_its_shapes_fits() -> None:
    text = """
agents:
  - {name: a, system: x, temperature: "${T:-0.5}", budget: $1, tools: all}
tools: [{name: t, run: date, params: [{name: p, type: int}]}]
workflows:
  w:
    inputs: [q, {name: n, type: integer, default: 1}]
    steps:
      - a do it: {send: x, save: y, retry: 2}
      - "for k, v in {'a': 1}":
          - a: 1
      - a: yes
        if: q
      - parallel: {agent: a, inputs: q}
      - parallel: [[a: x], {a: y}]
      - repeat: {steps: {a: x}, until: q, max: "{{n}}"}
      - remember: {key: k, value: null}
      - return: {a: [1]}
"""
    load(text)
    assert problems(text) == []
