"""Runs and rehearses workflows drawn at random, on agents that answer, fail or are late at random.

    python tests/fuzz/fuzz_runs.py [SECONDS [SEED]]

A document is refused with our own errors or runs: then nothing but `StepFailed` comes out of it, every step that starts
is finished once, no two asks have one path, and the dry run walks it too. Prints the seed and what became of them.
"""

from __future__ import annotations

import json
import random
import sys
import time
from collections import Counter
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parents[1] / "dsl"))

from dsl_cases import Ran, load

from vega_trio.dsl.effects import Ask, StepFailed, StepTimeout
from vega_trio.dsl.inputs import bind
from vega_trio.dsl.interpret import interpret
from vega_trio.dsl.rehearse import rehearse
from vega_trio.errors import DocumentError

NAMES = ["x", "y", "items", "item", "result", "error"]
EXPRESSIONS = """
x|y + 1|x : length > 2|'a' in x|[1, 2, 3]|{'a': 1}|x : default:5|loop.index|loop.parent.index|error_class|item|result
1 / 0|x.y|x[0]|input|null|x == y|items : sort|y : first|date|random : length|x if y else items|x : int|x * x
[x, {'k': y}]|x : join:-|x : slice:1:2|x : unique|x : json|env.HOME|steps.x.output
"""
EXPRS = [each.replace(" : ", " | ") for line in EXPRESSIONS.split("\n") for each in line.split("|") if each]
ANSWERS = ["text", '{"a": [1, 2]}', "5", "", "yes", "no", "- a\n- b", "a, b"]
GIVEN: list[Any] = [None, 1, "t", [1, 2], {"y": 1}]
DEEPEST = 4


class Drawing:
    """Draws documents from a seed."""

    def __init__(self, seed: int) -> None:
        self.random = random.Random(seed)
        self.one = self.random.choice

    def maybe(self, chance: float, **what: Any) -> dict[str, Any]:
        return what if self.random.random() < chance else {}

    def text(self) -> str:
        hole = "{{" + self.one(EXPRS) + "}}"
        return str(self.one(["plain", hole, f"a {hole} b", "boom", f"late {hole}"]))

    def value(self, depth: int = 0) -> Any:
        if depth < 2 and self.random.random() < 0.3:
            items = [self.value(depth + 1) for _ in range(self.random.randrange(3))]
            return self.one([items, {str(at): item for at, item in enumerate(items)}])
        return self.one([self.text(), 1, 2.5, True, None])

    def options(self, *, ask: bool) -> dict[str, Any]:
        late = self.maybe(0.15, timeout="5s")
        found = {
            **self.maybe(0.4, save=self.one([*NAMES, "r_{{loop.index}}", "{{x}}"])),
            **self.maybe(0.15, continue_on_error=True),
            **late,
            **(self.maybe(0.6, on_timeout=self.steps(DEEPEST)) if late else {}),
        }
        return {**found, **self.maybe(0.15, format="json"), **self.maybe(0.1, fresh=True)} if ask else found

    def steps(self, depth: int) -> list[dict[str, Any]]:
        return [self.step(depth + 1) for _ in range(self.random.randrange(4 if depth < 2 else 2))]

    def step(self, depth: int) -> dict[str, Any]:
        kinds = ["ask", "guarded", "set", "remember", "recall", "return", "workflow"]
        kind = self.one(kinds if depth > DEEPEST else [*kinds, "if", "for", "repeat", "parallel", "agents", "try"])
        match kind:
            case "ask" | "guarded":
                guard = {"if": self.one(EXPRS)} if kind == "guarded" else {}
                return {"Writer does it": self.text(), **guard, **self.options(ask=True)}
            case "set":
                return {"set": {self.one(NAMES): self.value() for _ in range(2)}}
            case "remember" | "recall":
                key = {"key": self.text()}
                return {kind: {**key, "value": self.value()} if kind == "remember" else key}
            case "return":
                return {"return": self.value()}
            case "workflow":
                return {"workflow": "other", "with": {"n": self.value()}, **self.options(ask=False)}
            case "agents":
                inputs = self.one([[self.text(), self.text()], "items", "{{x}}"])
                return {"parallel": {"agent": "Writer", "inputs": inputs}, **self.options(ask=True)}
        return {**self.block(kind, depth), **self.options(ask=False)}

    def block(self, kind: str, depth: int) -> dict[str, Any]:
        inner = self.steps(depth)
        match kind:
            case "if":
                return {"if": self.one(EXPRS), "then": inner, **self.maybe(0.5, **{"else": self.steps(depth)})}
            case "for":
                return {"for": f"{self.one(['x', 'item', 'k, v'])} in {self.one(EXPRS)}", "steps": inner}
            case "repeat":
                until = self.maybe(0.5, until=self.one(EXPRS))
                return {"repeat": {"steps": inner or [{"set": {"x": 1}}], "max": self.one([1, 3, "{{x}}"]), **until}}
            case "parallel":
                return {"parallel": [self.one([inner, self.step(depth + 1)]) for _ in range(2)]}
        return {"try": inner, "catch": self.steps(depth)}

    def document(self) -> str:
        declared = {name: {"type": "any", "required": False} for name in ("x", "y", "items")}
        again = {"if": "m < 3", "then": [{"workflow": "other", "with": {"n": "{{n}}", "m": "{{m + 1}}"}}]}
        other = {"inputs": {"n": "any", "m": {"type": "integer", "default": 1}}, "steps": [{"Reader": "{{n}}"}, again]}
        main = {"inputs": declared, "steps": self.steps(0), "output": self.value()}
        agents = {"Writer": {"system": "x"}, "Reader": {"system": "y"}}
        return json.dumps({"agents": agents, "workflows": {"main": main, "other": other}})

    def answer(self, ask: Ask) -> str:
        if "boom" in ask.message:
            raise StepFailed("it broke", "overloaded")
        if "late" in ask.message and ask.timeout_s:
            raise StepTimeout(ask.timeout_s)
        return str(self.one(ANSWERS))


def outcome(drawing: Drawing, text: str) -> str:
    """What became of a document: a code, or `ran`. Raises: what is a bug."""
    try:
        document = load(text).document
    except DocumentError as error:
        return error.diagnostics[0].code
    inputs = bind(document.workflows["main"], {name: drawing.one(GIVEN) for name in ("x", "y", "items")})
    rehearse(document, "main", inputs, {})
    ran, ended = Ran(), "ran"
    try:
        json.dumps(ran.drive(interpret(document, "main", inputs), drawing.answer).value)
    except StepFailed as error:
        ended = error.code or error.error_class if error.path else "without a path"
    assert ended != "without a path"
    counted = {what: Counter(note.path for note in ran.notes if note.what == what) for what in ("started", "finished")}
    assert counted["started"] == counted["finished"]
    assert len(set(ran.paths)) == len(ran.paths)
    return ended


def main(seconds: float, seed: int) -> None:
    drawing, found = Drawing(seed), Counter[str]()
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        text = drawing.document()
        try:
            found[outcome(drawing, text)] += 1
        except Exception:
            print(text)
            raise
    print(f"seed {seed}: {found.total()} workflows, {dict(found.most_common())}")


if __name__ == "__main__":
    words = [float(word) for word in sys.argv[1:]]
    main(words[0] if words else 60.0, int(words[1]) if len(words) > 1 else random.randrange(2**32))
