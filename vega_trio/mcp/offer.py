"""What a server offers: of the tools that it listed last those that are as they were when somebody first saw them.

A definition is pinned when it is first seen. Another one under its name is not offered until `approve`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import attrs

from vega_trio.mcp.definitions import Definition, checkable, define_all
from vega_trio.protocols import Tool

Check = Callable[[Mapping[str, Any]], None]


@attrs.frozen
class ListingDiff:
    """How a listing differs from the one before it: the server's own names."""

    added: frozenset[str]
    removed: frozenset[str]


@attrs.define(eq=False, kw_only=True)
class Offer:
    """The tools of the server `name`. `definitions` are all that it listed last, `problems` why some are not offered.

    `tools` are those that may be called, by the name that models see. Live: it changes with the server.
    `compile_check` raises ValueError for a schema that is none; `make` makes the tool; `pinned` is told of new pins.
    """

    name: str
    compile_check: Callable[[Mapping[str, Any]], Check]
    make: Callable[[Definition, Check], Tool]
    pinned: Callable[[Mapping[str, str]], object]
    pins: dict[str, str]
    tools: dict[str, Tool] = attrs.field(factory=dict, init=False)
    definitions: tuple[Definition, ...] = attrs.field(default=(), init=False)
    problems: tuple[str, ...] = attrs.field(default=(), init=False)

    def take(self, listed: list[dict[str, Any]]) -> ListingDiff:
        """Takes the answers to `tools/list`."""
        before = frozenset(each.name for each in self.definitions)
        definitions, wrong = define_all(self.name, listed)
        self.definitions = tuple(definitions)
        self._pin({each.name: each.digest for each in definitions if each.name not in self.pins})
        self._offer(wrong)
        names = frozenset(each.name for each in definitions)
        return ListingDiff(names - before, before - names)

    def changed(self) -> tuple[Definition, ...]:
        """The definitions that are not the pinned ones and wait for approval."""
        return tuple(each for each in self.definitions if self.pins.get(each.name) != each.digest)

    def approve(self, tool: str | None) -> tuple[str, ...]:
        """Takes the present definition of a tool, or of all, for good. Gives the names of those that had changed."""
        approved = [each for each in self.changed() if tool in (None, each.name)]
        if approved:
            self._pin({each.name: each.digest for each in approved})
            self._offer([])
        return tuple(each.name for each in approved)

    def _pin(self, new: dict[str, str]) -> None:
        if new:
            self.pins |= new
            self.pinned(self.pins)

    def _offer(self, wrong: list[str]) -> None:
        """Makes the tools of the definitions that are as pinned and that can be checked."""
        changed = {each.name for each in self.changed()}
        self.tools.clear()
        for each in self.definitions:
            if each.name in changed:
                wrong.append(f"tool {each.name!r}: its definition has changed and waits for approval")
                continue
            try:
                self.tools[each.tool_name] = self.make(each, self._check(each))
            except ValueError as error:
                wrong.append(f"tool {each.name!r}: its schema cannot be used: {error}")
        self.problems = tuple(wrong)

    def _check(self, definition: Definition) -> Check:
        try:
            return self.compile_check(definition.schema)
        except ValueError:
            return self.compile_check(checkable(definition.schema))
