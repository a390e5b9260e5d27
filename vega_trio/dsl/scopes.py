"""What is known, before a run, of the variables at one place of a workflow."""

from __future__ import annotations

from collections.abc import Iterable

import attrs


@attrs.frozen
class Known:
    """`sure` are set on every path to here, `maybe` on some (it holds `sure`). Steps are in it as `steps.ID`.

    `patterns` begin names that a templated `save` may have set. `ended`: a `return` always comes before.
    """

    sure: frozenset[str]
    maybe: frozenset[str]
    patterns: frozenset[str] = frozenset()
    ended: bool = False

    def plus(self, *names: str) -> Known:
        return attrs.evolve(self, sure=self.sure.union(names), maybe=self.maybe.union(names))

    def perhaps(self, other: Known) -> Known:
        """As this one, with what was set in `other` set on some paths."""
        return attrs.evolve(self, maybe=self.maybe | other.maybe, patterns=self.patterns | other.patterns)

    def pattern(self, start: str) -> Known:
        return attrs.evolve(self, patterns=self.patterns | {start})

    def allows(self, name: str) -> bool:
        return name in self.maybe or any(name.startswith(start) for start in self.patterns)


def joined(ways: Iterable[Known]) -> Known:
    """Where several ways meet, of which one was gone; those that ended do not arrive."""
    every = list(ways)
    arriving = [way for way in every if not way.ended] or every
    return Known(
        sure=frozenset.intersection(*(way.sure for way in arriving)),
        maybe=frozenset.union(*(way.maybe for way in every)),
        patterns=frozenset.union(*(way.patterns for way in every)),
        ended=all(way.ended for way in every),
    )


def merged(before: Known, branches: Iterable[Known]) -> Known:
    """After a `parallel`: every branch was gone."""
    every = [before, *branches]
    return Known(
        sure=frozenset.union(*(way.sure for way in every)),
        maybe=frozenset.union(*(way.maybe for way in every)),
        patterns=frozenset.union(*(way.patterns for way in every)),
    )
