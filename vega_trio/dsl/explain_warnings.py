"""Explanations of warnings, and of what fails while a workflow runs."""

from __future__ import annotations

from vega_trio.dsl.explain_steps import steps_example as _steps
from vega_trio.dsl.explanation import Explanation

_AGENT = "agents:\n  Writer: {system: You write.}\n"

WARNINGS = (
    Explanation(
        "W101",
        "There are workflows, and neither one of them nor a team uses this agent.",
        _AGENT + "  Editor: {system: You edit.}\nworkflows: {write: {steps: [{Writer: Write.}]}}",
        _AGENT + "  Editor: {system: You edit.}\nworkflows: {write: {steps: [{Writer: Write.}, {Editor: Edit.}]}}",
    ),
    _steps("W102", "An input is declared and never used.", "- Writer: Write.", "- Writer: Write about {{topic}}."),
    _steps(
        "W103",
        "A variable is set on some paths only; on the others its use would fail.",
        "- if: topic\n  then: [{Writer: Write., save: text}]\n- Reader: Read {{text}}.",
        "- if: topic\n  then: [{Writer: Write., save: text}]\n- Reader: Read {{text | default:nothing}}.",
    ),
    _steps(
        "W104",
        "Nothing ever sets this variable, so the condition is always false.",
        "- if: tpoic\n  then: [{Writer: Write.}]",
        "- if: topic\n  then: [{Writer: Write.}]",
    ),
    _steps(
        "W105",
        "Two branches set the same variable; after the join it has the later branch's value.",
        "- parallel:\n    - {Writer: 'Write about {{topic}}.', save: text}\n    - {Reader: Read., save: text}",
        "- parallel:\n    - {Writer: 'Write about {{topic}}.', save: text}\n    - {Reader: Read., save: notes}",
    ),
    _steps(
        "W106",
        "A filter takes only what stands right of the operator. Brackets say what is meant.",
        "- Writer: Write {{ 'about ' + topic | upper }}.",
        "- Writer: Write {{ ('about ' + topic) | upper }}.",
    ),
    Explanation(
        "W107",
        "A tool of the document has the name of a built-in one and replaces it.",
        _AGENT + "tools: {read_file: {run: cat notes.txt}}",
        _AGENT + "tools: {read_notes: {run: cat notes.txt}}",
    ),
    Explanation(
        "W108",
        "An API key stands in the file, where everybody who gets the file can read it.",
        _AGENT + "settings: {api_key: sk-123}",
        _AGENT + "settings: {api_key: '${ANTHROPIC_API_KEY:-}'}",
    ),
    Explanation(
        "W109",
        "An environment variable is not set and has no default.",
        _AGENT + "settings: {sandbox: '${WORK}'}",
        _AGENT + "settings: {sandbox: '${WORK:-./workspace}'}",
    ),
    Explanation(
        "W110",
        "Whether an MCP server has a tool of that name is known only once it is connected.",
        "agents:\n  Writer: {system: You write., tools: [files__raed]}\nsettings: {mcp: {servers: [files]}}",
        "agents:\n  Writer: {system: You write., tools: ['files__*']}\nsettings: {mcp: {servers: [files]}}",
    ),
    Explanation(
        "W111",
        "An output or return value is literal text: no variable has that name.",
        _AGENT + "workflows: {write: {steps: [{Writer: Write., save: text}], output: txet}}",
        _AGENT + "workflows: {write: {steps: [{Writer: Write., save: text}], output: text}}",
    ),
    Explanation(
        "W112",
        "An input is required and has a default; the default applies, so the input is optional.",
        _AGENT
        + "workflows:\n  write:\n    inputs: {topic: {required: true, default: trio}}\n"
        + "    steps: [{Writer: 'Write about {{topic}}.'}]",
        _AGENT
        + "workflows:\n  write:\n    inputs: {topic: {default: trio}}\n    steps: [{Writer: 'Write about {{topic}}.'}]",
    ),
    Explanation(
        "W113",
        "A section of other programs; it has no effect here.",
        _AGENT + "channels: {general: {}}",
        _AGENT + "x-channels: {general: {}}",
    ),
    Explanation(
        "W114",
        "A name in a tool is neither a parameter nor a value that is set; a call would fail.",
        _AGENT + "tools:\n  greet: {params: {name: string}, run: 'echo {{greeting}} {{name}}'}",
        _AGENT
        + "tools:\n  greet: {params: {name: string}, run: 'echo {{greeting}} {{name}}'}\n"
        + "settings: {values: {greeting: Hello}}",
    ),
    Explanation(
        "W115",
        "Bubblewrap, which keeps commands from the rest of the machine, is not installed here.",
        _AGENT + "tools: {today: {run: date}}",
        _AGENT + "tools: {today: {run: date}}\nsettings: {commands: {sandbox: none}}",
    ),
    _steps(
        "W116",
        "A step is never reached, for a return always comes before it.",
        "- return: '{{topic}}'\n- Writer: Write.",
        "- if: topic == 'none'\n  then: [{return: '{{topic}}'}]\n- Writer: Write.",
    ),
    Explanation(
        "W117",
        "A model's name looks like a slip, or names no provider and is none of those that go without one.",
        "agents:\n  Writer: {system: You write., model: claude-sonet-5-5}",
        "agents:\n  Writer: {system: You write., model: claude-sonnet-5-5}",
    ),
)

RUN = (
    _steps(
        "R001",
        "While running, a variable or a key of a mapping is not there.",
        "- set: {person: {name: Ada}}\n- Writer: Write to {{person.town}} about {{topic}}.",
        "- set: {person: {name: Ada}}\n- Writer: Write to {{person.town | default:London}} about {{topic}}.",
    ),
    _steps(
        "R002",
        "While running, an operator or filter meets a value it cannot take.",
        "- set: {n: '{{ topic * 2 }}'}",
        "- set: {n: '{{ topic | length * 2 }}'}",
    ),
    _steps(
        "R003",
        "A reply or a text is not in the format it should be in, also after the agent was asked to correct it.",
        "- Writer: Rate {{topic}} from 0 to 9.\n  format: json",
        "- Writer: 'Rate {{topic}} from 0 to 9. Reply with JSON: {\"score\": N}'",
    ),
    _steps(
        "R004",
        "A step took longer than its timeout, and nothing says what to do then.",
        "- Writer: Write a novel about {{topic}}.\n  timeout: 1s",
        "- Writer: Write a novel about {{topic}}.\n  timeout: 1s\n  on_timeout: [{set: {text: none}}]",
    ),
    _steps(
        "R005",
        "A budget is spent.",
        "- Writer: Write a novel about {{topic}}.\n  budget: $0.01",
        "- Writer: Write a novel about {{topic}}.\n  budget: $5.00",
    ),
    _steps(
        "R006",
        "Workflows called each other more than 32 deep.",
        "- if: 'true'\n  workflow: write\n  with: {topic: '{{topic}}'}",
        "- if: topic == 'everything'\n  workflow: write\n  with: {topic: the rest}",
    ),
    _steps(
        "R007",
        "A value, a text or a loop became larger than it may be.",
        "- set: {x: '{{topic}}'}\n- repeat: {max: 40, steps: [{set: {x: '{{x}}{{x}}'}}]}",
        "- set: {x: '{{topic}}'}\n- repeat: {max: 4, steps: [{set: {x: '{{x}}{{x}}'}}]}",
    ),
    _steps(
        "R008",
        "An agent could not answer: its model failed after all retries, or its process crashed for good.",
        "- Writer: Write about {{topic}}.",
        "- Writer: Write about {{topic}}.\n  continue_on_error: true\n  save: text\n"
        "- Reader: Read {{text | default:what you like}}.",
    ),
)
