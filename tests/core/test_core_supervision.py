"""Intensity, restart types, links: the formulas."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vega_trio._core.links import Links, Reaction, reaction
from vega_trio._core.supervision import Attempts, Intensity, allowed, wants_restart
from vega_trio.agent import Restart, Strategy
from vega_trio.exits import Crashed, ExitReason, Killed, NoProcess, Normal, Shutdown

BOOM = Crashed(ValueError())


def test_a_restart_on_the_edge_of_the_window_counts_and_one_outside_does_not() -> None:
    assert Intensity(1, 5, [0.0]).admit(5.0) is False
    assert Intensity(1, 5, [0.0]).admit(5.25) is True


def test_no_restarts_and_unlimited_restarts() -> None:
    assert Intensity(0, 5).admit(1) is False
    unlimited = Intensity(None, 5)
    assert all(unlimited.admit(0) for _ in range(1000))
    assert unlimited.log == []


@given(st.integers(0, 5), st.floats(0.5, 20), st.lists(st.floats(0, 5), max_size=40))
def test_the_intensity_is_otps(max_restarts: int, window: float, gaps: list[float]) -> None:
    """add_restart/3: drop what is older than the window, add now, compare."""
    intensity, times, now = Intensity(max_restarts, window), [], 0.0
    for gap in gaps:
        now += gap
        times.append(now)
        recent = [at for at in times if at >= now - window]
        assert intensity.admit(now) is (len(recent) <= max_restarts)
        assert intensity.used == len(recent)


def test_attempts_start_over_after_a_whole_window_up() -> None:
    attempts = Attempts(5)
    assert [attempts.next(up) for up in (0, None, 4.99, 5, 0, None)] == [1, 2, 3, 1, 2, 3]


@pytest.mark.parametrize(
    ("restart", "expected"),
    [("permanent", [1, 1, 1, 1, 1]), ("transient", [0, 0, 1, 1, 1]), ("temporary", [0, 0, 0, 0, 0])],
)
def test_restart_types(restart: str, expected: list[int]) -> None:
    reasons = [Normal(), Shutdown(), BOOM, Killed(), NoProcess()]
    assert [wants_restart(Restart(restart), reason) for reason in reasons] == expected


@pytest.mark.parametrize(
    ("answer", "permanent", "temporary"),
    [
        (None, True, True),
        (Strategy.STOP, True, True),
        (Strategy.ESCALATE, True, True),
        (Strategy.RESTART, True, False),
        (Strategy.RESTART_ALL, True, False),
        (True, False, False),
    ],
)
def test_what_on_failure_may_answer(answer: object, permanent: bool, temporary: bool) -> None:
    assert allowed(Restart.PERMANENT, answer) is permanent
    assert allowed(Restart.TEMPORARY, answer) is temporary


@pytest.mark.parametrize(
    ("reason", "trapped", "plain", "trapped_link", "plain_link"),
    [
        (Normal(), Reaction.MESSAGE, Reaction.IGNORE, Reaction.MESSAGE, Reaction.IGNORE),
        (Shutdown(), Reaction.MESSAGE, Reaction.DIE, Reaction.MESSAGE, Reaction.DIE),
        (BOOM, Reaction.MESSAGE, Reaction.DIE, Reaction.MESSAGE, Reaction.DIE),
        (Killed(), Reaction.KILL, Reaction.KILL, Reaction.MESSAGE, Reaction.DIE),
    ],
)
def test_what_a_signal_does(
    reason: ExitReason, trapped: Reaction, plain: Reaction, trapped_link: Reaction, plain_link: Reaction
) -> None:
    assert reaction(reason, trapping=True, linked=False) is trapped
    assert reaction(reason, trapping=False, linked=False) is plain
    assert reaction(reason, trapping=True, linked=True) is trapped_link
    assert reaction(reason, trapping=False, linked=True) is plain_link


names = st.sampled_from("abcde")


@given(st.lists(st.tuples(st.sampled_from(["link", "unlink", "sever"]), names, names), max_size=40))
def test_links_are_symmetric_pairs(steps: list[tuple[str, str, str]]) -> None:
    links: Links[str] = Links()
    model: set[frozenset[str]] = set()
    for step, one, other in steps:
        match step:
            case "link":
                assert links.link(one, other) == (one != other and frozenset((one, other)) not in model)
                model |= {frozenset((one, other))} if one != other else set()
            case "unlink":
                links.unlink(one, other)
                model -= {frozenset((one, other))}
            case "sever":
                mine = {pair for pair in model if one in pair}
                assert sorted(links.sever(one)) == sorted(next(iter(pair - {one})) for pair in mine)
                model -= mine
        for name in "abcde":
            assert sorted(links.of(name)) == sorted(next(iter(pair - {name})) for pair in model if name in pair)
