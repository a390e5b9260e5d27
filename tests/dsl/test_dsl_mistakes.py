"""What people get wrong, and exactly what they are told: place, cause and remedy, without the grammar's words."""

from __future__ import annotations

import pytest
from dsl_cases import refusal

HEAD = """\
agents:
  Coder: {model: demo, system: You write.}
  Reviewer: {model: demo, system: You review.}
workflows:
  review:
    inputs: {task: string}
    steps:
"""

STEPS = {
    "an agent's name is misspelt": (
        '- Codr: "Write {{task}}"',
        """\
error[V012]: unknown agent 'Codr'
  --> team.vega.yaml:8:9
8:       - Codr: "Write {{task}}"
           ^^^^ did you mean 'Coder' (line 2)?   vega explain V012""",
    ),
    "a variable's name is misspelt": (
        '- Coder: "Write {{taks}}"',
        """\
error[V030]: the variable 'taks' is not defined here
  --> team.vega.yaml:8:25
8:       - Coder: "Write {{taks}}"
                           ^^^^ did you mean 'task'?   vega explain V030""",
    ),
    "a variable is used before it is set": (
        """\
- Reviewer: "{{code}}"
- Coder: "{{task}}"
  save: code""",
        """\
error[V030]: the variable 'code' is not defined here
  --> team.vega.yaml:8:22
8:       - Reviewer: "{{code}}"
                        ^^^^ it is set later: line 9   vega explain V030""",
    ),
    "no space behind the colon": (
        '- Coder:"Write {{task}}"',
        """\
error[V032]: a step must be a mapping with one action, not a text
  --> team.vega.yaml:8:9
8:       - Coder:"Write {{task}}"
           ^^^^^^^^^^^^^^^^^^^^^^ put a space behind the colon: - Coder: ...   vega explain V032""",
    ),
    "no colon behind the name": (
        '- Coder "Write {{task}}"',
        """\
error[V032]: a step must be a mapping with one action, not a text
  --> team.vega.yaml:8:9
8:       - Coder "Write {{task}}"
           ^^^^^^^^^^^^^^^^^^^^^^ put a colon and a space behind the name: - Coder: ...   vega explain V032""",
    ),
    "a sentence instead of a step": (
        "- Please write {{task}}",
        """\
error[V032]: a step must be a mapping with one action, not a text
  --> team.vega.yaml:8:9
8:       - Please write {{task}}
           ^^^^^^^^^^^^^^^^^^^^^ write for example: - Agent: what it is to do   vega explain V032""",
    ),
    "a tab": (
        """\
- Coder: "Write {{task}}"
\tsave: x""",
        """\
error[V002]: a tab cannot indent a line
  --> team.vega.yaml:9:7
9:       \tsave: x
         ^ indent with spaces, not tabs   vega explain V002""",
    ),
    "a line that is not lined up": (
        """\
- Coder:
    send: "Write {{task}}"
   save: x""",
        """\
error[V002]: this line does not line up with those it belongs to
  --> team.vega.yaml:10:10
10:          save: x
             ^ begin it in column 9, like line 8, or indent it below the key it belongs to   vega explain V002""",
    ),
    "an option indented too far": (
        """\
- Coder: Write {{task}}
    save: x""",
        """\
error[V002]: this line cannot be indented below the one above, which has a value already
  --> team.vega.yaml:9:15
9:           save: x
                 ^ line it up with its neighbours, or write | above for a text of several lines   vega explain V002""",
    ),
    "no dash": (
        """\
- Coder: "Write {{task}}"
Reviewer: ok""",
        """\
error[V002]: this line does not go on with the list above it
  --> team.vega.yaml:9:7
9:       Reviewer: ok
         ^ put '- ' before it, in column 7 as in line 8   vega explain V002""",
    ),
    "a colon in a text": (
        "- Coder: Write this: {{task}}",
        """\
error[V002]: a second ': ' in one line
  --> team.vega.yaml:8:26
8:       - Coder: Write this: {{task}}
                            ^ put quotes round a text that contains ': '   vega explain V002""",
    ),
    "a hole without quotes": (
        "- Coder: {{task}}",
        """\
error[V005]: a text that begins with {{ needs quotes
  --> team.vega.yaml:8:16
8:       - Coder: {{task}}
                  ^^^^^^^ put quotes round the whole text: "{{...}}"   vega explain V005""",
    ),
    "a quotation that is not closed": (
        """\
- Coder: "Write {{task}}
- Reviewer: ok""",
        """\
error[V002]: a quotation is not closed
  --> team.vega.yaml:8:16
8:       - Coder: "Write {{task}}
                  ^^^^^^^^^^^^^^^ end it with "   vega explain V002""",
    ),
    "text behind a quotation": (
        '- Coder: "Write" and "test" {{task}}',
        """\
error[V002]: text stands behind the end of a quotation
  --> team.vega.yaml:8:16
8:       - Coder: "Write" and "test" {{task}}
                  ^^^^^^^^^^^^^^^^^^^^^^^^^^^ put ' round all of it, or no quotes at all   vega explain V002""",
    ),
    "a backslash in a quotation": (
        '- Coder: "Look at C:\\Users {{task}}"',
        """\
error[V002]: '\\U' means nothing in double quotes
  --> team.vega.yaml:8:27
8:       - Coder: "Look at C:\\Users {{task}}"
                             ^^ write \\\\ for a backslash, or use single quotes round the text   vega explain V002""",
    ),
    "a text that begins with an at sign": (
        "- Coder: @all {{task}}",
        """\
error[V002]: a text cannot begin with @
  --> team.vega.yaml:8:16
8:       - Coder: @all {{task}}
                  ^ put quotes round it   vega explain V002""",
    ),
    "a text that begins with a star": (
        "- Coder: **Write** {{task}}",
        """\
error[V002]: * begins an alias, and no anchor '&*Write**' stands before it
  --> team.vega.yaml:8:16
8:       - Coder: **Write** {{task}}
                  ^^^^^^^^^ put quotes round a text that begins with *   vega explain V002""",
    ),
    "a text that begins with an exclamation mark": (
        "- Coder: !Write {{task}}",
        """\
error[V007]: the tag '!Write' is not supported
  --> team.vega.yaml:8:16
8:       - Coder: !Write {{task}}
                  ^^^^^^^^ remove it, or put quotes round a text that begins with !   vega explain V007""",
    ),
    "a text beside the bar": (
        """\
- Coder: | Write {{task}}
    well""",
        """\
error[V002]: nothing may stand behind | on its line
  --> team.vega.yaml:8:18
8:       - Coder: | Write {{task}}
                    ^ write the text below, indented; or remove the |   vega explain V002""",
    ),
    "a bracket that is not closed": (
        """\
- set: {a: [1, 2}
- Coder: "{{task}}\"""",
        """\
error[V002]: what begins with [ does not end as it should
  --> team.vega.yaml:8:18
8:       - set: {a: [1, 2}
                    ^ end it with ], or put quotes round a text that begins with [   vega explain V002""",
    ),
    "a hole that is not closed": (
        '- Coder: "Write {{task}"',
        """\
error[V053]: '{{' is not closed
  --> team.vega.yaml:8:23
8:       - Coder: "Write {{task}"
                         ^^ end it with '}}', or write \\{{   vega explain V053""",
    ),
    "a filter that does not exist": (
        '- Coder: "{{task | uppercase}}"',
        """\
error[V051]: unknown filter 'uppercase'
  --> team.vega.yaml:8:26
8:       - Coder: "{{task | uppercase}}"
                            ^^^^^^^^^ did you mean 'upper'?   vega explain V051""",
    ),
    "a filter without its argument": (
        '- Coder: "{{task | truncate}}"',
        """\
error[V052]: the filter 'truncate' takes 1 argument, not 0
  --> team.vega.yaml:8:26
8:       - Coder: "{{task | truncate}}"
                            ^^^^^^^^ write: truncate:100   vega explain V052""",
    ),
    "a function": (
        '- Coder: "{{len(task)}}"',
        """\
error[V054]: a function cannot be called here
  --> team.vega.yaml:8:19
8:       - Coder: "{{len(task)}}"
                     ^^^^ write a filter: value | length   vega explain V054""",
    ),
    "a single equals sign": (
        """\
- if: task = 'x'
  then: [{Coder: ok}]""",
        """\
error[V050]: '=' means nothing here
  --> team.vega.yaml:8:18
8:       - if: task = 'x'
                    ^ compare with '=='   vega explain V050""",
    ),
    "curly quotes in an expression": (
        '- Coder: "{{ \u201cx\u201d + task }}"',
        """\
error[V050]: '\u201c' means nothing here
  --> team.vega.yaml:8:20
8:       - Coder: "{{ \u201cx\u201d + task }}"
                      ^ write straight quotes: '...'   vega explain V050""",
    ),
    "no then": (
        """\
- if: task == 'x'
- Coder: ok""",
        """\
error[V032]: 'if' needs 'then', or an action beside it
  --> team.vega.yaml:8:13
8:       - if: task == 'x'
               ^^^^^^^^^^^ write the steps below then:   vega explain V032""",
    ),
    "a loop without a variable": (
        """\
- for: task
  steps: [{Coder: ok}]""",
        """\
error[V034]: 'for' needs a variable and a list
  --> team.vega.yaml:8:14
8:       - for: task
                ^^^^ write: for: item in items   vega explain V034""",
    ),
    "branches that are no list": (
        """\
- parallel:
    Coder: a {{task}}
    Reviewer: b""",
        """\
error[V032]: 'parallel' needs a list of steps
  --> team.vega.yaml:9:11
9:           Coder: a {{task}}
             ^^^^^ put '- ' before each of them: - Coder: ...   vega explain V032""",
    ),
    "no catch": (
        """\
- try:
    - Coder: "{{task}}\"""",
        """\
error[V032]: 'try' needs a 'catch'
  --> team.vega.yaml:8:9
8:       - try:
           ^^^ write beside it: catch: [...], or use continue_on_error: true instead   vega explain V032""",
    ),
    "two agents in a step": (
        """\
- Coder: "{{task}}"
  Reviewer: ok""",
        """\
error[V032]: a step has one action; this one has 'Coder' and 'Reviewer'
  --> team.vega.yaml:9:9
9:         Reviewer: ok
           ^^^^^^^^ make each a step of its own, with '- ' before it   vega explain V032""",
    ),
    "an option misspelt": (
        """\
- Coder: "{{task}}"
  sav: x""",
        """\
error[V004]: unknown key 'sav'
  --> team.vega.yaml:9:9
9:         sav: x
           ^^^ did you mean 'save'?   vega explain V004""",
    ),
    "a duration in words": (
        """\
- Coder: "{{task}}"
  timeout: 5 minutes""",
        """\
error[V016]: 'timeout': '5 minutes' is no duration; write for example 300ms, 30s, 1h30m or 2d
  --> team.vega.yaml:9:18
9:         timeout: 5 minutes
                    ^^^^^^^^^   vega explain V016""",
    ),
    "a variable's name with a space": (
        """\
- Coder: "{{task}}"
  save: my code""",
        """\
error[V037]: the variable name 'my code' must be letters, digits and _, not beginning with a digit
  --> team.vega.yaml:9:15
9:         save: my code
                 ^^^^^^^ write for example: my_code   vega explain V037""",
    ),
    "no message": (
        """\
- Coder:
- Reviewer: '{{task}}'""",
        """\
error[V032]: the step of 'Coder' has no message
  --> team.vega.yaml:8:9
8:       - Coder:
           ^^^^^ write: Coder: what it is to do   vega explain V032""",
    ),
    "a workflow that does not exist": (
        """\
- Coder: '{{task}}'
- workflow: reviwe""",
        """\
error[V031]: unknown workflow 'reviwe'
  --> team.vega.yaml:9:19
9:       - workflow: reviwe
                     ^^^^^^ did you mean 'review'?   vega explain V031""",
    ),
    "a workflow that calls itself for ever": (
        """\
- Coder: '{{task}}'
- workflow: review
  with: {task: x}""",
        """\
error[V036]: 'review' calls itself without end: review -> review
  --> team.vega.yaml:9:19
9:       - workflow: review
                     ^^^^^^ put the call under an 'if'   vega explain V036""",
    ),
    "a return in a branch": (
        """\
- parallel:
    - return: '{{task}}'
    - Coder: ok""",
        """\
error[V035]: 'return' cannot stand inside 'parallel'
  --> team.vega.yaml:9:13
9:           - return: '{{task}}'
               ^^^^^^ save the value, and return it after the join   vega explain V035""",
    ),
    "an option in two places": (
        """\
- Coder:
    send: '{{task}}'
    save: a
  timeout: 5s""",
        """\
error[V033]: options stand either beside 'Coder' or within it, not both
  --> team.vega.yaml:11:9
11:         timeout: 5s
            ^^^^^^^ move it to the others   vega explain V033""",
    ),
    "a secret": (
        "- Coder: '{{env.ANTHROPIC_API_KEY}}'",
        """\
error[V055]: 'env.ANTHROPIC_API_KEY' looks like a secret
  --> team.vega.yaml:8:19
8:       - Coder: '{{env.ANTHROPIC_API_KEY}}'
                     ^^^^^^^^^^^^^^^^^^^^^ list it in settings.expose_env if agents may see it   vega explain V055""",
    ),
}

DOCUMENTS = {
    "no system": (
        """\
agents:
  Coder:
    model: demo""",
        """\
error[V011]: the agent 'Coder' has no 'system'
  --> team.vega.yaml:2:3
2:   Coder:
     ^^^^^ write what it is to do: system: You are ...   vega explain V011""",
    ),
    "a system that is a comment": (
        """\
agents:
  Coder:
    model: demo
    system: #1 of all writers""",
        """\
error[V011]: the agent 'Coder' has no 'system'
  --> team.vega.yaml:2:3
2:   Coder:
     ^^^^^ in 'system: #...' the text is a comment; put quotes round it   vega explain V011""",
    ),
    "no model": (
        """\
agents:
  Coder:
    system: You write.""",
        """\
error[V011]: the agent 'Coder' has no 'model'
  --> team.vega.yaml:2:3
2:   Coder:
     ^^^^^ write for example model: claude-sonnet-5-5, or set settings.default_model   vega explain V011""",
    ),
    "a key misspelt": (
        """\
agents:
  Coder:
    model: demo
    system: You write.
    temprature: 0.5""",
        """\
error[V004]: unknown key 'temprature'
  --> team.vega.yaml:5:5
5:     temprature: 0.5
       ^^^^^^^^^^ did you mean 'temperature'?   vega explain V004""",
    ),
    "a word for a number": (
        """\
agents:
  Coder:
    model: demo
    system: You write.
    temperature: hot""",
        """\
error[V005]: 'temperature' must be a number, not 'hot'
  --> team.vega.yaml:5:18
5:     temperature: hot
                    ^^^   vega explain V005""",
    ),
    "a number out of range": (
        """\
agents:
  Coder:
    model: demo
    system: You write.
    temperature: 3""",
        """\
error[V016]: 'temperature' must be from 0 to 2, not 3
  --> team.vega.yaml:5:18
5:     temperature: 3
                    ^   vega explain V016""",
    ),
    "money in words": (
        """\
agents:
  Coder:
    model: demo
    system: You write.
    budget: 5 dollars""",
        """\
error[V016]: 'budget': '5 dollars' is no amount of money; write for example $0.50, with six decimals at most
  --> team.vega.yaml:5:13
5:     budget: 5 dollars
               ^^^^^^^^^   vega explain V016""",
    ),
    "a tool misspelt": (
        """\
agents:
  Coder:
    model: demo
    system: You write.
    tools: [websearch]""",
        """\
error[V020]: unknown tool 'websearch'
  --> team.vega.yaml:5:13
5:     tools: [websearch]
               ^^^^^^^^^ did you mean 'web_search'?   vega explain V020""",
    ),
    "an MCP server that is not there": (
        """\
agents:
  Coder:
    model: demo
    system: You write.
    tools: [github__create_issue]""",
        """\
error[V021]: unknown MCP server 'github'
  --> team.vega.yaml:5:13
5:     tools: [github__create_issue]
               ^^^^^^^^^^^^^^^^^^^^ declare it under settings.mcp.servers   vega explain V021""",
    ),
    "a team of its own": (
        """\
agents:
  Coder:
    model: demo
    system: You write.
    team: [Coder]""",
        """\
error[V014]: 'Coder' cannot be on its own team
  --> team.vega.yaml:5:12
5:     team: [Coder]
              ^^^^^ remove it   vega explain V014""",
    ),
    "a choice that does not exist": (
        """\
agents:
  Coder:
    model: demo
    system: You write.
    supervision: {strategy: retry}""",
        """\
error[V016]: 'strategy' cannot be 'retry'
  --> team.vega.yaml:5:29
5:     supervision: {strategy: retry}
                               ^^^^^ choose one of: escalate, restart, restart_all, stop   vega explain V016""",
    ),
    "a file that is not there": (
        """\
agents:
  Coder:
    model: demo
    system: You write.
    knowledge: [style.md]""",
        """\
error[V017]: there is no file 'style.md'
  --> team.vega.yaml:5:17
5:     knowledge: [style.md]
                   ^^^^^^^^ the path is relative to the document   vega explain V017""",
    ),
    "a section misspelt": (
        """\
agent:
  Coder: {model: demo, system: You write.}""",
        """\
error[V004]: unknown key 'agent'
  --> team.vega.yaml:1:1
1: agent:
   ^^^^^ did you mean 'agents'?   vega explain V004""",
    ),
    "an agent twice": (
        """\
agents:
  Coder:
    model: demo
    system: You write.
  Coder:
    model: demo
    system: You test.""",
        """\
error[V003]: the key 'Coder' occurs twice
  --> team.vega.yaml:5:3
5:   Coder:
     ^^^^^ it is on line 2 already   vega explain V003""",
    ),
    "names without definitions": (
        """\
agents:
  - Coder""",
        """\
error[V005]: an agent must be a mapping, not a text
  --> team.vega.yaml:2:5
2:   - Coder
       ^^^^^ write for example: helper: {system: You are helpful.}   vega explain V005""",
    ),
    "a key of an agent outside of it": (
        """\
agents:
  Coder:
    model: demo
  system: You write.""",
        """\
error[V011]: the agent 'Coder' has no 'system'
  --> team.vega.yaml:2:3
2:   Coder:
     ^^^^^ write what it is to do: system: You are ...   vega explain V011
error[V005]: an agent must be a mapping, not a text
  --> team.vega.yaml:4:11
4:   system: You write.
             ^^^^^^^^^^ indent 'system' below the agent it belongs to   vega explain V005""",
    ),
    "no colon behind a heading": (
        """\
agents
  Coder:
    model: demo""",
        """\
error[V002]: a line is indented below this one, which has no ':' at its end
  --> team.vega.yaml:1:1
1: agents
   ^^^^^^ write: agents:   vega explain V002""",
    ),
    "a text that is not indented": (
        """\
agents:
  Coder:
    model: demo
    system: |
    You write.""",
        """\
error[V002]: this line has no ':'
  --> team.vega.yaml:5:5
5:     You write.
       ^^^^^^^^^^ write key: value; or indent it, if it belongs to the text above   vega explain V002""",
    ),
    "an answer of a chatbot, whole": (
        """\
```yaml
agents: {Coder: {model: demo, system: x}}
```""",
        """\
error[V002]: ``` belongs to the page that this was copied from
  --> team.vega.yaml:1:1
1: ```yaml
   ^ remove the lines that hold ```   vega explain V002""",
    ),
    "an empty file": (
        "",
        """\
error[V010]: the document has no agents
  --> team.vega.yaml:1:1
   = write for example: agents: {helper: {system: You are helpful.}}""",
    ),
    "spaces of a web page": (
        """\
agents:
\xa0\xa0Coder: {model: demo, system: x}""",
        """\
error[V002]: this line is indented with a space that is none (U+00A0)
  --> team.vega.yaml:2:1
2: \xa0\xa0Coder: {model: demo, system: x}
   ^^^^^^^ indent with plain spaces   vega explain V002""",
    ),
    "a name that is a word": (
        """\
agents:
  parallel: {model: demo, system: You write.}""",
        """\
error[V015]: an agent cannot be named 'parallel', which is a word of workflows
  --> team.vega.yaml:2:3
2:   parallel: {model: demo, system: You write.}
     ^^^^^^^^ call it for example 'parallel_agent'   vega explain V015""",
    ),
    "a type of another language": (
        """\
agents:
  Coder:
    model: demo
    system: x
workflows:
  w: {inputs: {n: text}, steps: [{Coder: '{{n}}'}]}""",
        """\
error[V016]: unknown type 'text'
  --> team.vega.yaml:6:19
6:   w: {inputs: {n: text}, steps: [{Coder: '{{n}}'}]}
                     ^^^^ write: string   vega explain V016""",
    ),
    "a default of another type": (
        """\
agents:
  Coder:
    model: demo
    system: x
workflows:
  w: {inputs: {n: {type: integer, default: many}}, steps: [{Coder: '{{n}}'}]}""",
        """\
error[V043]: the default of 'n' must be an integer; it is "many"
  --> team.vega.yaml:6:44
6:   w: {inputs: {n: {type: integer, default: many}}, steps: [{Coder: '{{n}}'}]}
                                              ^^^^   vega explain V043""",
    ),
    "a parameter misspelt": (
        """\
agents:
  Coder:
    model: demo
    system: x
    tools: [greet]
tools:
  greet: {params: {name: string}, run: 'echo {{nmae}}'}""",
        """\
error[V024]: 'nmae' is not a parameter of this tool
  --> team.vega.yaml:7:48
7:   greet: {params: {name: string}, run: 'echo {{nmae}}'}
                                                  ^^^^ did you mean 'name'?   vega explain V024""",
    ),
    "a document that ends within a bracket": (
        "agents: [",
        """\
error[V002]: a bracket is open at the end
  --> team.vega.yaml:1:10
1: agents: [
            ^ end each [ with ] and each { with }   vega explain V002""",
    ),
    "a bracket that runs into the next line": (
        """\
agents:
  Coder:
    tools: [read_file
    model: demo""",
        """\
error[V002]: what begins with [ does not end as it should
  --> team.vega.yaml:3:12
3:     tools: [read_file
              ^ end it with ], or put quotes round a text that begins with [   vega explain V002""",
    ),
    "a tool that does nothing": (
        """\
agents:
  Coder:
    model: demo
    system: x
    tools: [greet]
tools:
  greet: {description: Greets}""",
        """\
error[V022]: a tool needs an 'implementation'
  --> team.vega.yaml:7:3
7:   greet: {description: Greets}
     ^^^^^ write for example: run: date   vega explain V022""",
    ),
}


@pytest.mark.parametrize("name", STEPS)
def test_a_slip_in_the_steps_is_told(name: str) -> None:
    steps, told = STEPS[name]
    text = HEAD + "".join(f"      {line}\n" for line in steps.split("\n"))
    assert str(refusal(text, env={})) == told


@pytest.mark.parametrize("name", DOCUMENTS)
def test_a_slip_in_a_document_is_told(name: str) -> None:
    text, told = DOCUMENTS[name]
    assert str(refusal(text, env={})) == told
