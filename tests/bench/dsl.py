"""What the YAML language costs: rendering templates, loading a large document, the steps of a workflow.

    python tests/bench/dsl.py [--quick] [--json FILE]

CPU time, medians of rounds in which the reference and ours take turns. The reference of a template is `str.format`,
that of a document is its bare YAML tree. A step's is none: it is what a step costs beside what it asks for.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path
from time import process_time

import attrs
import trio
from ruamel.yaml import YAML

import vega_trio as vega
from vega_trio.app.disk import Disk
from vega_trio.dsl.document import Document
from vega_trio.dsl.effects import Ask, AskReply
from vega_trio.dsl.interpret import interpret
from vega_trio.dsl.parse import parse_text
from vega_trio.dsl.template import compile_template

sys.path.insert(0, str(Path(__file__).parent / "cases"))

import rows
from rounds import by_turns, times
from rows import Row, at_most

ENV = {"VEGA_MODEL": "demo"}
SCOPE = {"name": "Ada", "role": "reviewer", "task": {"title": "parse the file", "lines": 120}}
PLAIN = "Hello {name}, you are the {role} of this team."


@attrs.frozen
class Case:
    """`run(count)` does the work `count` times and returns CPU seconds for one; so does `reference`.

    `target`: the most it may cost, in `unit`s, where one is set.
    """

    name: str
    unit: str
    run: Callable[[int], float]
    count: int
    reference: Callable[[int], float] | None = None
    reference_name: str = ""
    target: float | None = None


def timed(call: Callable[[], object], count: int) -> float:
    began = process_time()
    for _ in range(count):
        call()
    return (process_time() - began) / count


# -- templates


def format_plain(count: int) -> float:
    return timed(lambda: PLAIN.format(name=SCOPE["name"], role=SCOPE["role"]), count)


def render(text: str) -> Callable[[int], float]:
    def run(count: int) -> float:
        template = compile_template(text)
        return timed(lambda: template.render_text(SCOPE), count)

    return run


def compile_plain(count: int) -> float:
    return timed(lambda: compile_template(PLAIN.replace("{", "{{ ").replace("}", " }}")), count)


# -- documents


def agents(count: int) -> str:
    """A document of so many agents, every tenth of which has more to say."""
    lines = ["agents:"]
    for number in range(count):
        lines += [f"  agent-{number}:", f"    system: You are number {number} of the team.", "    temperature: 0.2"]
        if number % 10 == 0:
            lines += ["    retry: {max_attempts: 3}", "    supervision: {strategy: restart, max_restarts: 3}"]
    return "\n".join(lines) + "\n"


def load_agents(count: int) -> float:
    text = agents(count).encode()
    return timed(lambda: parse_text(text, "team.vega.yaml", Disk(), env=ENV), 1)


def compose_agents(count: int) -> float:
    text = agents(count)
    return timed(lambda: YAML(typ="rt", pure=True).compose(text), 1)


# -- workflows


def workflow(step: str, count: int) -> Document:
    steps = "\n".join(f"      - {step}" for _ in range(count))
    text = "agents:\n  Writer: {system: You write.}\nworkflows:\n  main:\n    steps:\n" + steps + "\n"
    return parse_text(text.encode(), "team.vega.yaml", Disk(), env=ENV).document


def interpreted(step: str) -> Callable[[int], float]:
    """The interpreter alone: every question is answered at once."""

    def run(count: int) -> float:
        document = workflow(step, count)
        began = process_time()
        effects = interpret(document, "main", {})
        reply = None
        try:
            while True:
                effect = effects.send(reply)
                reply = AskReply("done") if isinstance(effect, Ask) else None
        except StopIteration:
            return (process_time() - began) / count

    return run


def in_application(step: str) -> Callable[[int], float]:
    """A run of an application, with its events and its row in the store."""

    async def main(count: int) -> float:
        document = workflow(step, count)
        async with vega.open_app(document, model="demo") as app:
            began = process_time()
            run = await app.run_workflow("main", {})
            await run.wait()
            return (process_time() - began) / count

    return lambda count: trio.run(main, count)


ASK = "Writer: {send: 'Write about {{ n | default:1 }}', save: n}"
CASES = (
    Case("template, two names", "us", render(PLAIN.replace("{", "{{ ").replace("}", " }}")), 10_000, format_plain,
         "str.format", 2.0),
    Case("template, a member and a filter", "us", render("{{ task.title | upper }}: {{ task.lines }} lines"), 10_000),
    Case("template, compiled", "us", compile_plain, 1_000),
    Case("1,000 agents, load and validate, each", "us", lambda count: load_agents(count) / count, 1_000,
         lambda count: compose_agents(count) / count, "YAML tree"),
    Case("step that sets, interpreter alone", "us", interpreted("set: {n: 1}"), 1_000),
    Case("step that asks, interpreter alone", "us", interpreted(ASK), 1_000),
    Case("step that sets, in an application", "us", in_application("set: {n: 1}"), 1_000),
)  # fmt: skip


def measure(case: Case, rounds: int, scale: float) -> Row:
    count = max(100, int(case.count * scale))
    turns = {"ours": lambda: case.run(count)}
    if (reference := case.reference) is not None:
        turns[case.reference_name] = lambda: reference(count)
    found = by_turns(turns, rounds)
    ours, limit = (times(found.median(who, float), 1e6) for who in ("ours", case.reference_name))
    target = at_most(case.target) if case.target is not None else None
    return Row(case.name, case.unit, ours, limit, case.reference_name, target, failures=found.failures)


def main() -> None:
    options = rows.options(__doc__, "dsl").parse_args()
    rounds, scale = (3, 0.1) if options.quick else (5, 1.0)
    rows.publish((measure(case, rounds, scale) for case in CASES), options.json)


if __name__ == "__main__":
    main()
