"""Explanations of what can be wrong with a file, its agents, settings and tools."""

from __future__ import annotations

from vega_trio.dsl.explanation import Explanation

DOCUMENT = (
    Explanation(
        "V001",
        "The file cannot be read: it is not there, may not be opened, or is not UTF-8 text.",
        "vega validate taem.vega.yaml",
        "vega validate team.vega.yaml",
    ),
    Explanation(
        "V002",
        "The text is not YAML. The caret stands where the reader lost the thread; the cause may be a line above.",
        "agents:\n  Writer:\n    system: Answer: yes or no.",
        'agents:\n  Writer:\n    system: "Answer: yes or no."',
    ),
    Explanation(
        "V003",
        "The same name stands twice where it may stand once, so one of the two would be lost.",
        "agents:\n  Writer: {system: You write.}\n  Writer: {system: You write well.}",
        "agents:\n  Writer: {system: You write.}\n  Editor: {system: You write well.}",
    ),
    Explanation(
        "V004",
        "No key of that name is known there. Nothing is silently ignored.",
        "agents:\n  Writer: {system: You write., temprature: 0.2}",
        "agents:\n  Writer: {system: You write., temperature: 0.2}",
    ),
    Explanation(
        "V005",
        "A value is of the wrong type, such as a text where a number is needed.",
        "agents:\n  Writer: {system: You write., max_tokens: many}",
        "agents:\n  Writer: {system: You write., max_tokens: 2000}",
    ),
    Explanation(
        "V006",
        "The document is larger or more deeply nested than it may be, or an expression is.",
        f"agents:\n  Writer: {{system: {'[' * 51}You write.{']' * 51}}}",
        "agents:\n  Writer: {system: You write.}",
    ),
    Explanation(
        "V007",
        "YAML tags, a second document in the file, and aliases that contain themselves are not supported.",
        "agents:\n  Writer: {system: !secret prompt}",
        "agents:\n  Writer: {system: You write.}",
    ),
    Explanation(
        "V008",
        "A file to include is not there, or lies outside the directory of the document.",
        "agents:\n  Writer: {system: You write.}\ntools:\n  include: ../shared/tools.yaml",
        "agents:\n  Writer: {system: You write.}\ntools:\n  include: tools/*.yaml",
    ),
    Explanation(
        "V009",
        "An environment variable that an agent or a setting needs is not set, and has no default.",
        "agents:\n  Writer: {system: You write., model: '${MODEL}'}",
        "agents:\n  Writer: {system: You write., model: '${MODEL:-demo}'}",
    ),
    Explanation(
        "V010",
        "A document needs at least one agent.",
        "workflows: {}",
        "agents:\n  Writer: {system: You write.}",
    ),
    Explanation(
        "V011",
        "An agent needs a system text and a model; the model may also come from settings.default_model or VEGA_MODEL.",
        "agents:\n  Writer: {temperature: 0.2}",
        "agents:\n  Writer: {temperature: 0.2, system: You write.}\nsettings: {default_model: demo}",
    ),
    Explanation(
        "V012",
        "No agent of that name is declared.",
        "agents:\n  Reviewer: {system: You review.}\nworkflows:\n  check:\n    steps:\n      - Reveiwer: Look at this.",
        "agents:\n  Reviewer: {system: You review.}\nworkflows:\n  check:\n    steps:\n      - Reviewer: Look at this.",
    ),
    Explanation(
        "V013",
        "An agent extends one that is not there, or, in a circle, itself.",
        "agents:\n  Writer: {extends: Base, system: You write.}",
        "agents:\n  Base: {temperature: 0.2}\n  Writer: {extends: Base, system: You write.}",
    ),
    Explanation(
        "V014",
        "An agent cannot delegate to itself.",
        "agents:\n  Lead: {system: You lead., team: [Lead]}",
        "agents:\n  Lead: {system: You lead., team: [Writer]}\n  Writer: {system: You write.}",
    ),
    Explanation(
        "V015",
        "A name is empty, too long, holds a character it may not, or is a word of the language.",
        "agents:\n  save: {system: You keep notes.}",
        "agents:\n  Keeper: {system: You keep notes.}",
    ),
    Explanation(
        "V016",
        "A value is of the right type and still cannot be: a number out of range, no duration, no choice.",
        "agents:\n  Writer: {system: You write., temperature: 7}",
        "agents:\n  Writer: {system: You write., temperature: 0.7}",
    ),
    Explanation(
        "V017",
        "A file of an agent's knowledge is not there.",
        "agents:\n  Writer: {system: You write., knowledge: [sytle.md]}",
        "agents:\n  Writer: {system: You write., knowledge: [style.md]}",
    ),
    Explanation(
        "V020",
        "No tool of that name is built in or declared.",
        "agents:\n  Writer: {system: You write., tools: [read_fiel]}",
        "agents:\n  Writer: {system: You write., tools: [read_file]}",
    ),
    Explanation(
        "V021",
        "The part of a tool's name before '__' is an MCP server, and none of that name is declared; or a server that is"
        " only named is none of the registry's.",
        "agents:\n  Writer: {system: You write., tools: ['files__*']}",
        "agents:\n  Writer: {system: You write., tools: ['files__*']}\n"
        "settings: {mcp: {servers: [{name: files, command: my-server}]}}",
    ),
    Explanation(
        "V022",
        "A tool's definition lacks something, or its command or address cannot be read.",
        "agents:\n  Writer: {system: You write.}\ntools:\n  clock: {description: Tells the time.}",
        "agents:\n  Writer: {system: You write.}\ntools:\n  clock: {description: Tells the time., run: date}",
    ),
    Explanation(
        "V023",
        "A value stands where it could do more than be a value: choose the host or the program, or become a script.",
        "agents:\n  Writer: {system: You write.}\ntools:\n"
        "  count: {params: {file: string}, run: \"bash -c 'wc -l {{file}}'\"}",
        "agents:\n  Writer: {system: You write.}\ntools:\n  count: {params: {file: string}, run: 'wc -l -- {{file}}'}",
    ),
    Explanation(
        "V024",
        "A name in a tool is a slip of one of its parameters.",
        "agents:\n  Writer: {system: You write.}\ntools:\n  greet: {params: {name: string}, run: 'echo {{nmae}}'}",
        "agents:\n  Writer: {system: You write.}\ntools:\n  greet: {params: {name: string}, run: 'echo {{name}}'}",
    ),
)
