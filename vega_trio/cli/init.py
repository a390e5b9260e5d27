"""`vega init`: a first document, with comments that say what else there is."""

from __future__ import annotations

import json
import shlex
from pathlib import Path

import click

from vega_trio.cli import completing
from vega_trio.cli.options import Shared, vega_command

FILE = "team.vega.yaml"
TEMPLATE = """\
# Two agents that work on a text together.
#
#   vega validate                                        check this file
#   vega run --task "why the sky is blue" --model demo   run the workflow without a key
#   vega keys set anthropic                              then leave --model demo out
#   vega serve                                           the same in the browser
#
# `vega schema` prints a JSON Schema with which editors complete and check what is written here.
name: My team
description: A writer and a critic.

settings:
  # The model of agents that name none. Its key belongs into `vega keys set anthropic`, never in here.
  default_model: DEFAULT_MODEL
  # What the whole program may spend; an agent can have a budget of its own.
  budget: $5.00

agents:
  Writer:
    description: Writes short texts.           # what other agents and the dashboard say about it
    system: |
      You write short, clear texts for readers who know nothing about the subject.
      Answer with the text alone.
    # temperature: 0.7
    # tools: [web_search, http_get]            # none unless they are named; `vega list tools` shows them
    supervision:                               # what happens when the agent's process crashes
      strategy: restart                        # it starts again with the conversation it had
      max_restarts: 3                          # more crashes than this
      window: 5m                               # in this time are a failure

  Critic:
    description: Finds what is wrong with a text.
    system: |
      You read a text and list what is wrong or unclear in it, the most serious first.
      If there is nothing to find, say so in one sentence.

workflows:
  write:
    description: Write a text, have it read, improve it.
    inputs:
      task:
        type: string
        description: What the text is about
    steps:
      - Writer writes a first version:
          send: "Write a text of at most 200 words about: {{task}}"
          save: draft                          # later steps call the answer {{draft}}
      - Critic reads it:
          send: |
            Check this text about {{task}}:

            {{draft}}
          save: findings
      - Writer answers:
          send: |
            Write the improved text about {{task}}. A reader found this in the first:

            {{findings}}
          save: final
    output: "{{final}}"                        # what `vega run` prints
"""
NEXT = """\
vega validate {file}
vega run {file} --task "why the sky is blue" --model demo
vega serve {file} --model demo
"""


@vega_command(name="init")
@click.argument("directory", metavar="[DIR]", default=".", shell_complete=completing.directories)
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
@click.pass_context
def command(ctx: click.Context, directory: str, as_json: bool) -> int:
    """Write a first document, team.vega.yaml, into DIR (default: this directory), which is made if need be.

    Nothing is overwritten: where there is a document already, it stays the only one.
    """
    from vega_trio.cli.terminal import put, safe

    path = write_template(Path(directory))
    put((json.dumps({"file": str(path)}) if as_json else f"Written: {path}") + "\n")
    if not Shared(ctx).quiet and not as_json:
        click.echo(
            safe("next:\n" + "".join(f"  {line}\n" for line in NEXT.format(file=shlex.quote(str(path))).splitlines())),
            err=True,
        )
    return 0


def write_template(directory: Path) -> Path:
    """Returns the new document's path. Raises: Failure; nothing was overwritten."""
    from vega_trio.app.models import DEFAULT_MODEL
    from vega_trio.cli.documents import SUFFIX
    from vega_trio.cli.failure import Failure

    path = directory / FILE
    try:
        directory.mkdir(parents=True, exist_ok=True)
        there = next(iter(sorted(directory.glob("*" + SUFFIX))), None)
        if there is not None:
            raise Failure(f"{there} is there already; nothing was written", "name another directory: vega init DIR")
        with path.open("x", encoding="utf-8") as file:
            file.write(TEMPLATE.replace("DEFAULT_MODEL", DEFAULT_MODEL))
    except OSError as error:
        raise Failure(f"{path} cannot be written: {error.strerror}", "name another directory: vega init DIR") from error
    return path
