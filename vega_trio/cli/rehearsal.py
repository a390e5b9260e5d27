"""What `vega run --dry-run` prints: the inputs, the steps, and what each agent would be told."""

from __future__ import annotations

from collections.abc import Iterator

import attrs

from vega_trio.cli.failure import FAILED, say
from vega_trio.cli.output import Output, write
from vega_trio.cli.terminal import safe
from vega_trio.dsl.rehearse import Line, Rehearsal
from vega_trio.dsl.values import print_value


def show_rehearsal(rehearsal: Rehearsal, output: Output) -> int:
    """Writes it and returns the exit code: 1 when a step would fail for certain, which stderr tells."""
    if output.format == "text":
        write("\n".join(safe(line) for line in _lines(rehearsal)), output)
    else:
        found = attrs.asdict(rehearsal)
        write({("steps" if key == "lines" else key): value for key, value in found.items()}, output)
    for problem in rehearsal.problems:
        say("error", problem, color="red")
    return FAILED if rehearsal.problems else 0


def _lines(rehearsal: Rehearsal) -> Iterator[str]:
    yield f"workflow {rehearsal.workflow} (dry run: no model is called, nothing is changed)"
    yield "inputs:"
    for name, value in rehearsal.inputs.items():
        yield from _texts(f"{name}: ", print_value(value), 1)
    if not rehearsal.inputs:
        yield "  none"
    yield "steps:"
    for line in rehearsal.lines:
        yield from _step(line)
    yield from _texts("output: ", rehearsal.output, 0)


def _step(line: Line) -> Iterator[str]:
    saves = f" -> {line.saves}" if line.saves else ""
    if line.kind == "block":
        yield "  " * (line.depth + 1) + f"{line.title}:"
    else:
        yield "  " * (line.depth + 1) + f"[{line.path}] {line.title}{saves}"
    if line.text is not None:
        yield from _texts("", line.text, line.depth + 3)


def _texts(head: str, text: str, depth: int) -> Iterator[str]:
    """The text behind its head, on lines of its own when it has several."""
    indent = "  " * depth
    rows = text.rstrip("\n").split("\n")
    if not head or len(rows) == 1:
        yield from (f"{indent}{head}{row}".rstrip() for row in rows)
        return
    yield f"{indent}{head}".rstrip()
    yield from (f"{indent}  {row}".rstrip() for row in rows)
