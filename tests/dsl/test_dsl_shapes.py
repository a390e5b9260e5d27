"""The shapes of documents that people bring along from elsewhere: each is read, or refused by the key's name."""

from __future__ import annotations

from pathlib import Path

import pytest
from dsl_cases import ENV, MemoryFiles, load, run

from vega_trio.app.disk import Disk
from vega_trio.dsl.builtin import BUILTIN_NAME, BUILTIN_TEXT
from vega_trio.dsl.parse import parse_document, parse_text
from vega_trio.dsl.tool import ExecImpl, HttpImpl
from vega_trio.errors import DocumentError

EXAMPLES = sorted((Path(__file__).parents[2] / "examples").glob("*.vega.yaml"))

SMALL = """
name: Helper
agents:
  helper:
    model: claude-sonnet-4-20250514
    system: You help.
"""

SUPERVISED = """
agents:
  worker:
    model: claude-sonnet-4-20250514
    system: You work through a queue.
    supervision:
      strategy: restart
      max_restarts: 3
      window: 5m
"""

TOOLS = """
agents: {a: {model: demo, system: x, tools: [weather, issue, script]}}
tools:
  weather:
    description: The weather of a city
    params:
      - name: city
        type: string
        required: true
    implementation:
      type: http
      method: GET
      url: "https://weather.example/v1/now?city={{.city}}"
      headers:
        Authorization: "Bearer {{.weather_key}}"
      timeout: 10s
  issue:
    description: Opens an issue
    params:
      - name: title
        type: string
        required: true
      - name: text
        type: string
        required: true
    implementation:
      type: http
      method: POST
      url: "https://git.example/repos/{{.owner}}/{{.repo}}/issues"
      headers:
        Content-Type: application/json
      body:
        title: "{{.title}}"
        body: "{{.text}}"
  script:
    description: Runs a script
    params:
      - name: script
        type: string
        required: true
    implementation:
      type: exec
      command: "bash -c '{{.script}}'"
      timeout: 60s
"""

PARALLEL = """
agents:
  agent1: {model: demo, system: x}
  agent2: {model: demo, system: x}
  combiner: {model: demo, system: x}
workflows:
  main:
    steps:
      - parallel:
          - agent1:
              send: "First"
              save: result1
          - agent2:
              send: "Second"
              save: result2
      - combiner:
          send: "Both: {{result1}} and {{result2}}"
"""

SERVERS = """
settings:
  mcp:
    servers:
      - name: filesystem
        transport: stdio
        command: npx
        args: ["-y", "server-filesystem", "/workspace"]
        env: {DEBUG: "true"}
      - name: github
        command: npx
        args: ["-y", "server-github"]
        env:
          GITHUB_TOKEN: "${GITHUB_TOKEN}"
        timeout: 30s
agents:
  coder:
    model: claude-sonnet-4-20250514
    system: You write programs.
    tools:
      - filesystem__* # all of them
      - github__create_issue
"""

SKILLED = """
settings:
  skills:
    directories:
      - ./skills
      - ~/.vega/skills
agents:
  reviewer:
    model: claude-sonnet-4-20250514
    system: You review.
    skills:
      directories: [./mine]
      include: [code-review, security-*]
      exclude: [deprecated-*]
      max_active: 3
"""

SETTINGS = """
agents: {agent-name: {system: x, temperature: 0.7, tools: [read_file, write_file], budget: "$5.00"}}
settings:
  default_model: claude-sonnet-4-20250514
  sandbox: ./workspace            # where files may be
  budget: "$100.00"
  rate_limit:
    requests_per_minute: 60
    tokens_per_minute: 100000
"""

WORKFLOW = """
agents: {agent-name: {model: demo, system: x}}
workflows:
  workflow-name:
    description: What it does
    inputs:
      task:
        type: string
        required: true
        default: "some text"
    steps:
      - agent-name:
          send: "With {{task}} in it"
          save: variable_name
          timeout: 30s
    output: "{{variable_name}}"
"""

CONTROL = """
agents:
  agent: {model: demo, system: x}
  agent1: {model: demo, system: x}
  agent2: {model: demo, system: x}
  risky-agent: {model: demo, system: x}
  fallback-agent: {model: demo, system: x}
workflows:
  main:
    inputs: [approved, items]
    steps:
      - if: "{{approved}}"
        then:
          - agent: ...
        else:
          - agent: ...
      - for: item in items
        steps:
          - agent:
              send: "Take {{item}}"
      - parallel:
          - agent1: ...
          - agent2: ...
      - try:
          - risky-agent: ...
        catch:
          - fallback-agent: ...
      - agent: "{{name | default:anon}} {{items | join:, }} {{items | first | upper}}"
    output: "{{result}}"
"""

SHAPES = {
    "small": (SMALL, []),
    "supervised": (SUPERVISED, []),
    "tools": (TOOLS, []),
    "parallel": (PARALLEL, []),
    "servers": (SERVERS, []),
    "skilled": (SKILLED, []),
    "settings": (SETTINGS, []),
    "workflow": (WORKFLOW, []),
    "control": (CONTROL, []),
}


@pytest.mark.parametrize("name", SHAPES)
def test_a_familiar_shape_is_read(name: str) -> None:
    load(SHAPES[name][0], env={**ENV, "GITHUB_TOKEN": "t"})


@pytest.mark.parametrize("name", SHAPES)
def test_the_product_refuses_of_a_familiar_shape_only_what_it_does_not_do(name: str) -> None:
    text, missing = SHAPES[name]
    try:
        parse_text(text.encode(), "t", MemoryFiles(), env={**ENV, "GITHUB_TOKEN": "t"})
    except DocumentError as error:
        keys = [each.message.split("'")[1] for each in error.diagnostics if "not supported yet" in each.message]
        others = {each.code for each in error.diagnostics if "not supported yet" not in each.message}
        # A tool of a server that was refused with its section is unknown for that reason only.
        assert (keys, others - {"V021"}) == (missing, set())
    else:
        assert missing == []


def test_the_shapes_run_as_they_read() -> None:
    assert run(PARALLEL).messages == ["First", "Second", "Both: <First> and <Second>"]
    assert run(WORKFLOW, name="workflow-name").value == "<With some text in it>"
    ran = run(CONTROL, {"approved": "yes", "items": ["a", "b"]})
    assert ran.messages == ["...", "Take a", "Take b", "...", "...", "...", "anon a, b A"]


def test_a_tool_of_a_familiar_shape_is_safe() -> None:
    tools = load(TOOLS).document.tools
    script, issue = tools["script"].implementation, tools["issue"].implementation
    assert isinstance(script, ExecImpl)
    assert isinstance(issue, HttpImpl)
    assert [each.render_text({"script": "a 'b'; c"}) for each in script.argv] == ["bash", "-c", "a 'b'; c"]
    assert script.whole_command
    assert tools["issue"].values == frozenset({"owner", "repo"})


@pytest.mark.parametrize("path", EXAMPLES, ids=[path.name for path in EXAMPLES])
def test_every_example_is_valid_without_a_warning(path: Path) -> None:
    parsed = parse_document(str(path), Disk(), env={})
    assert [str(each) for each in parsed.warnings] == []
    assert parsed.missing_env == ()


def test_the_code_review_passes_the_work_on() -> None:
    path = next(path for path in EXAMPLES if path.name == "code-review.vega.yaml")
    ran = run(path.read_text("utf-8"), {"task": "sort a list"}, lambda ask: f"{ask.agent} {ask.path}", name="review")
    assert [ask.agent for ask in ran.asks] == ["Coder", "Reviewer", "Coder"]
    assert "sort a list" in ran.messages[0]
    assert "Coder review/0" in ran.messages[1]
    assert "Reviewer review/1" in ran.messages[2]
    assert ran.value == "Coder review/2"


def test_the_built_in_document_has_an_assistant_and_asks_it() -> None:
    document = parse_text(BUILTIN_TEXT, BUILTIN_NAME, MemoryFiles(), env=ENV).document
    assert document.agents["assistant"].tools == ("web_search", "http_get", "read_file", "list_files")
    assert document.workflows["ask"].primary == "message"
    assert run(BUILTIN_TEXT.decode(), {"message": "hi"}, name="ask").value == "<hi>"
