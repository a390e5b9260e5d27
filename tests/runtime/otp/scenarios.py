"""The scenarios that were played on a real OTP supervisor, and that ours has to play alike.

`record.py` plays them on Erlang and writes `golden.json`; the tests only compare.
"""

from __future__ import annotations

import attrs

Step = tuple[str | int, ...]


@attrs.frozen
class Scenario:
    """`children`: `a` permanent, `a~` transient, `a-` temporary, `a!` transient and significant."""

    name: str
    strategy: str
    children: str
    steps: tuple[Step, ...]
    intensity: int = 20
    auto_shutdown: str = "never"
    failing: tuple[tuple[str, int], ...] = ()

    @property
    def specs(self) -> list[tuple[str, str, bool]]:
        kinds = {"": "permanent", "~": "transient", "-": "temporary", "!": "transient"}
        return [(word[0], kinds[word[1:]], word[1:] == "!") for word in self.children.split()]


def _for_all_strategies() -> list[Scenario]:
    out = []
    for strategy in ("one_for_one", "one_for_all", "rest_for_one"):

        def scenario(
            name: str, children: str, *steps: Step, intensity: int = 20, failing: tuple[tuple[str, int], ...] = (),
            strategy: str = strategy,
        ) -> Scenario:  # fmt: skip
            return Scenario(f"{strategy}: {name}", strategy, children, steps, intensity, failing=failing)

        out += [
            scenario("each dies once", "a b c", ("crash", "b"), ("kill", "a"), ("return", "c"), ("leave", "b")),
            scenario("transients", "a~ b~ c", ("return", "a"), ("leave", "b"), ("crash", "c"), ("kill", "c")),
            scenario("temporaries", "a- b c- d", ("crash", "b"), ("start", "a", "temporary"), ("crash", "d")),
            scenario("gives up", "a b c", ("crash", "b"), ("crash", "b"), ("crash", "b"), ("crash", "b"), intensity=3),
            scenario("no restarts", "a b c", ("crash", "b"), intensity=0),
            scenario("a restart fails twice", "a b c", ("fail", "b", 2), ("crash", "b")),
            scenario("another's restart fails", "a b c", ("fail", "c", 1), ("crash", "a")),
            scenario("a restart always fails", "a b c", ("fail", "b", 99), ("crash", "b"), intensity=3),
            scenario("a start fails", "a b c d", failing=(("c", 1),)),
            scenario("terminated ones come back with the group", "a b c", ("terminate", "c"), ("crash", "a")),
            scenario("a terminated one before", "a b c", ("terminate", "a"), ("crash", "b"), ("restart", "a")),
            scenario(
                "administration", "a b",
                ("start", "a", "permanent"), ("start", "x", "transient"), ("restart", "x"), ("delete", "x"),
                ("terminate", "x"), ("terminate", "x"), ("start", "x", "transient"), ("restart", "x"), ("crash", "x"),
                ("terminate", "x"), ("delete", "x"), ("delete", "x"), ("terminate", "y"), ("restart", "y"),
            ),
            scenario(
                "starts that fail", "a",
                ("fail", "x", 1), ("start", "x", "permanent"), ("start", "x", "permanent"), ("terminate", "x"),
                ("fail", "x", 1), ("restart", "x"), ("restart", "x"),
            ),
            scenario("a late child", "a b", ("start", "c", "permanent"), ("crash", "a"), ("crash", "c")),
            scenario("a temporary late child", "a b", ("start", "t", "temporary"), ("terminate", "t"), ("delete", "t")),
        ]  # fmt: skip
    return out


SCENARIOS = [
    *_for_all_strategies(),
    Scenario("all crash together", "one_for_all", "a b c", (("together", "a", "b", "c"),), intensity=1),
    *(
        Scenario(f"{auto}: {name}", "one_for_one", "a! b! c", steps, auto_shutdown=auto)
        for auto in ("any_significant", "all_significant")
        for name, steps in [
            ("one returns", (("return", "a"),)),
            ("both return", (("return", "a"), ("return", "b"))),
            ("one crashes, then returns", (("crash", "a"), ("return", "a"))),
            ("terminated", (("terminate", "a"), ("terminate", "b"))),
            ("one terminated, one returns", (("terminate", "a"), ("return", "b"))),
            ("another one", (("crash", "c"),)),
        ]
    ),
]
