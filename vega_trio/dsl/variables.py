"""The variables of one workflow call: the user's, the built-in ones, and what steps left behind."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager

import attrs

from vega_trio.dsl.values import UNDEFINED, measure, operand
from vega_trio.dsl.words import bad_variable

READ = ("now", "date", "time", "random", "run_id")
"""What only the world can tell, unless the user has set it."""


@attrs.define
class Variables:
    """A flat scope. `owned` are the names the user has set, which built-in variables no longer change.

    `writes` is what was set since the start of the call or branch, in order: what a join merges.
    """

    scope: dict[str, object]
    owned: set[str]
    writes: dict[str, object] = attrs.field(factory=dict)
    step_writes: dict[str, object] = attrs.field(factory=dict)
    loops: int = 0

    @classmethod
    def of_call(cls, workflow: str, inputs: Mapping[str, object], primary: str | None) -> Variables:
        builtin: dict[str, object] = {
            "input": inputs.get(primary) if primary is not None else None,
            "result": None,
            "error": None,
            "error_class": None,
            "workflow": workflow,
            "steps": {},
            "env": {},
        }
        return cls({**builtin, **inputs}, set(inputs))

    def branch(self) -> Variables:
        """A snapshot with its own writes. Values are never changed in place, so they are shared."""
        return Variables(dict(self.scope), set(self.owned), loops=self.loops)

    @property
    def _steps(self) -> dict[str, object]:
        steps = self.scope["steps"]
        assert isinstance(steps, dict)
        return steps

    def assign(self, name: str, value: object) -> None:
        """Raises: ExpressionError R002 for a name that cannot be, R007 for a value that is too large."""
        problem = bad_variable(name)
        if problem:
            raise operand(f"the variable name '{name[:40]}' {problem}")
        measure(value)
        self.scope[name] = value
        self.owned.add(name)
        self.writes[name] = value

    def builtin(self, name: str, value: object) -> None:
        """Sets a built-in variable, unless the user has one of that name."""
        if name not in self.owned:
            self.scope[name] = value

    def set_error(self, message: str | None, error_class: str | None) -> None:
        """The failure last caught, or none any more."""
        self.builtin("error", message)
        self.builtin("error_class", error_class)

    def record(self, step_id: str, record: Mapping[str, object]) -> None:
        """What `steps.ID` gives. A new mapping each time: the old one may be some variable's value by now."""
        self.scope["steps"] = {**self._steps, step_id: dict(record)}
        self.step_writes[step_id] = dict(record)

    def merge(self, writes: Mapping[str, object], steps: Mapping[str, object]) -> None:
        """Takes over what a branch wrote."""
        for name, value in writes.items():
            self.assign(name, value)
        for step_id, record in steps.items():
            assert isinstance(record, dict)
            self.record(step_id, record)

    def unread(self, names: set[str]) -> set[str]:
        """Which of these names have to be read from the world."""
        return names.intersection(READ) - self.owned

    def environment(self, name: str, value: object) -> None:
        """Sets `env.NAME`; None leaves it undefined."""
        env = self.scope["env"]
        assert isinstance(env, dict)
        if value is not None:
            self.scope["env"] = {**env, name: value}

    # -- loops

    @contextmanager
    def loop(self, names: tuple[str, ...]) -> Iterator[None]:
        """Puts the loop's variables and `item` back as they were afterwards; `loop` too, if a loop is around it."""
        kept = {name: self.scope.get(name, UNDEFINED) for name in (*names, "item")}
        owned = self.owned & kept.keys()
        outer = self.outer_loop
        self.loops += 1
        self.scope["loop"] = loop_of(-1, 0, outer)
        try:
            yield
        finally:
            self.loops -= 1
            if outer is not None:
                self.scope["loop"] = outer
            for name, value in kept.items():
                if value is UNDEFINED:
                    self.scope.pop(name, None)
                else:
                    self.scope[name] = value
            self.owned = (self.owned - kept.keys()) | owned

    def enter_pass(self, number: int, length: int | None, variables: Mapping[str, object], outer: object) -> None:
        """Sets `loop`, `item` and the loop's variables. They are no writes, for they do not outlive the loop."""
        self.scope["loop"] = loop_of(number, length, outer)
        for name, value in variables.items():
            self.scope[name] = value
            self.owned.add(name)

    @property
    def outer_loop(self) -> object:
        """The `loop` of the pass that is going on, null outside of loops."""
        return self.scope.get("loop") if self.loops else None


def loop_of(number: int, length: int | None, outer: object) -> dict[str, object]:
    """`loop` in pass `number`, 0-based; -1 before the first one."""
    return {
        "index": number,
        "count": number + 1,
        "first": number == 0,
        "last": length is not None and number + 1 == length,
        "length": length,
        "parent": outer,
    }
