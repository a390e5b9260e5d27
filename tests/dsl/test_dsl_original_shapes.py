"""Every shape of document that users of the Go original were shown: each is read, and the workflows run."""

from __future__ import annotations

import pytest
from dsl_cases import load, run

MODEL = "model: claude-sonnet-4-20250514"
DOCUMENTS = {
    "one agent": f"name: Helper\nagents:\n  helper:\n    {MODEL}\n    system: You help.\n",
    "supervision": f"agents:\n  w:\n    {MODEL}\n    system: x\n"
    "    supervision:\n      strategy: restart\n      max_restarts: 3\n      window: 5m\n",
    "http tool with a header value": f"""
agents: {{a: {{{MODEL}, system: x, tools: [weather]}}}}
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
      url: "https://weather.example.com/v1/now?city={{{{.city}}}}"
      headers:
        Authorization: "Bearer {{{{.api_key}}}}"
      timeout: 10s
""",
    "http tool with a body": f"""
agents: {{a: {{{MODEL}, system: x}}}}
tools:
  issue:
    description: Opens an issue
    params:
      - {{name: title, type: string, required: true}}
      - {{name: body, type: string, required: true}}
    implementation:
      type: http
      method: POST
      url: "https://api.example.com/repos/{{{{.owner}}}}/{{{{.repo}}}}/issues"
      headers: {{Authorization: "token {{{{.token}}}}", Content-Type: application/json}}
      body: {{title: "{{{{.title}}}}", body: "{{{{.body}}}}"}}
    timeout: 30s
""",
    "a script": f"""
agents: {{a: {{{MODEL}, system: x}}}}
tools:
  run_script:
    description: Runs a script
    params: [{{name: script, type: string, required: true}}]
    implementation:
      type: exec
      command: "bash -c '{{{{.script}}}}'"
    timeout: 60s
""",
    "mcp servers": f"""
settings:
  mcp:
    servers:
      - name: filesystem
        transport: stdio
        command: npx
        args: ["-y", "server-filesystem", "/workspace"]
        env: {{DEBUG: "true"}}
        timeout: 30s
      - name: github
        command: npx
        args: ["-y", "server-github"]
        env: {{GITHUB_TOKEN: "${{GITHUB_TOKEN}}"}}
agents:
  coder:
    {MODEL}
    system: You code.
    tools:
      - filesystem__*   # all of that server
      - github__create_issue
""",
    "skills": f"""
settings:
  skills:
    directories: [./skills, ~/.vega/skills]
agents:
  reviewer:
    {MODEL}
    system: You review.
    skills:
      directories: [./agent-skills]
      include: [code-review, security-*]
      exclude: [deprecated-*]
      max_active: 3
""",
    "settings": f"""
settings:
  default_model: claude-sonnet-4-20250514
  sandbox: ./workspace
  budget: "$100.00"
  rate_limit:
    requests_per_minute: 60
    tokens_per_minute: 100000
agents:
  agent-name:
    {MODEL}
    system: |
      Your prompt.
    temperature: 0.7
    tools: [read_file, write_file]
    budget: "$5.00"
""",
}
AGENTS = "agents:\n" + "".join(
    f"  {name}: {{model: demo, system: x}}\n"
    for name in ("agent1", "agent2", "combiner", "agent-name", "agent", "risky-agent", "fallback-agent")
)
STEPS = {
    "parallel and combine": (
        """
      - parallel:
          - agent1:
              send: "Task 1"
              save: result1
          - agent2:
              send: "Task 2"
              save: result2
      - combiner:
          send: "Combine: {{result1}} and {{result2}}"
""",
        "Combine: <Task 1> and <Task 2>",
    ),
    "a condition": (
        """
      - if: "{{approved}}"
        then:
          - agent: yes
        else:
          - agent: no
""",
        "yes",
    ),
    "a loop": (
        """
      - for: item in items
        steps:
          - agent:
              send: "Process {{item}}"
""",
        "Process b",
    ),
    "try and catch": (
        """
      - try:
          - risky-agent: fine
        catch:
          - fallback-agent: instead
""",
        "fine",
    ),
    "filters": (
        """
      - agent: "{{name | upper}} {{name | lower}} {{name | trim}} {{nick | default:anon}}"
      - agent: "{{name | truncate:2}} {{items | join:, }}"
""",
        "Bo... a, b",
    ),
}
HEAD = """
workflows:
  w:
    description: What it does
    inputs:
      approved: {type: boolean, default: true}
      items: {type: array, default: [a, b]}
      name: {type: string, default: Bob}
      nick: {type: string, required: false}
    steps:
"""


@pytest.mark.parametrize("name", DOCUMENTS)
def test_the_document_is_read(name: str) -> None:
    load(DOCUMENTS[name])


@pytest.mark.parametrize("name", STEPS)
def test_the_steps_run(name: str) -> None:
    steps, last = STEPS[name]
    ran = run(AGENTS + HEAD + steps, name="w")
    assert ran.asks[-1].message == last


def test_a_required_input_with_a_default_is_given_its_default() -> None:
    parsed = load(
        AGENTS
        + """
workflows:
  workflow-name:
    description: What it does
    inputs:
      task:
        type: string
        required: true
        default: "default value"
    steps:
      - agent-name:
          send: "Message with {{task}}"
          save: variable_name
          timeout: 30s
    output: "{{variable_name}}"
"""
    )
    assert [each.code for each in parsed.warnings if each.code != "W101"] == ["W112"]
