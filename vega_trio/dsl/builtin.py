"""The document that is used when there is no other: one assistant, and one workflow that asks it."""

from __future__ import annotations

BUILTIN_NAME = "<built-in>"

# It has no model: whoever parses it says one, by VEGA_MODEL in the environment given to the parser.
BUILTIN_TEXT = b"""\
name: Assistant
description: A helpful assistant with the web and a workspace.

agents:
  assistant:
    description: Answers questions, looks things up and reads the files of the workspace.
    system: |
      You are a helpful, precise assistant. Answer in plain language and come to the point.
      Use your tools when an answer depends on what is on the web or in the workspace; say where
      a fact comes from. When you do not know something, say so.
    tools: [web_search, http_get, read_file, list_files]

workflows:
  ask:
    description: Ask the assistant one question.
    inputs:
      message:
        description: What to ask
    steps:
      - assistant: "{{message}}"
        save: response
    output: "{{response}}"
"""
