from hypothesis import given
from hypothesis import strategies as st

from vega_trio._core.pace import FIRST_GAP_S, LONGEST_GAP_S, Pace


def test_nobody_waits_for_a_model_that_never_refused() -> None:
    pace = Pace()
    assert [pace.take_turn(1.0) for _ in range(50)] == [0.0] * 50
    assert pace.pause_left(1.0) == 0


def test_after_a_refusal_the_calls_come_one_by_one() -> None:
    pace = Pace()
    pace.refused(0.0, 1.0, 10.0)
    assert pace.pause_left(1.0) == 10.0
    assert [round(pace.take_turn(11.0), 6) for _ in range(4)] == [0.0, 0.1, 0.2, 0.3]


def test_a_burst_that_is_refused_as_a_whole_slows_down_once() -> None:
    pace = Pace()
    for _ in range(50):
        pace.refused(0.0, 1.0, 0.0)
    assert pace.gap_s == FIRST_GAP_S
    pace.refused(2.0, 2.1, 0.0)
    assert pace.gap_s == 2 * FIRST_GAP_S


def test_a_shorter_pause_does_not_end_a_longer_one() -> None:
    pace = Pace()
    pace.refused(0.0, 1.0, 30.0)
    pace.refused(0.0, 2.0, 5.0)
    assert pace.pause_left(2.0) == 29.0


def test_success_brings_the_pace_back() -> None:
    pace = Pace()
    pace.refused(0.0, 1.0, 0.0)
    for _ in range(12):
        pace.went_well()
    assert pace.gap_s == 0


@given(st.lists(st.tuples(st.booleans(), st.floats(0, 10), st.floats(0, 60)), max_size=40))
def test_turns_never_go_back_and_the_gap_stays_in_bounds(steps: list[tuple[bool, float, float]]) -> None:
    pace, now, last = Pace(), 0.0, 0.0
    for refused, passed, pause in steps:
        called, now = now, now + passed
        if refused:
            pace.refused(called, now, pause)
        else:
            pace.went_well()
        assert 0 <= pace.gap_s <= LONGEST_GAP_S
        turn = now + pace.take_turn(now)
        assert turn >= max(now, last) - 1e-9
        last = turn
