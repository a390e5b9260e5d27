from __future__ import annotations

import pytest

from vega_trio.cli.progress import Progress, StepView, cut, dollars, progress_line
from vega_trio.events import (
    MessageReset,
    StepFinished,
    StepStarted,
    TextDelta,
    ToolEnd,
    ToolProgress,
    ToolStart,
    WorkflowCompleted,
    WorkflowFailed,
    WorkflowStarted,
)


def started(path: str, title: str = "Coder") -> StepStarted:
    return StepStarted(run_id="r1", path=path, kind="ask", title=title)


@pytest.mark.parametrize(
    ("path", "depth"),
    [
        ("review/3", 0),
        ("review/3.then.0", 1),
        ("review/4#2.0", 1),
        ("review/5.parallel[1].0", 1),
        ("review/5.parallel[1]", 1),
        ("review/7>other/0", 1),
        ("review/7>other/0.else.2", 2),
        ("v1.2/0", 0),
    ],
)
def test_a_step_stands_as_deep_as_the_blocks_around_it(path: str, depth: int) -> None:
    assert StepView(path, "x").depth == depth


def test_lines_tell_start_end_time_and_cost_of_every_step() -> None:
    progress = Progress()
    lines = [
        *progress.apply(WorkflowStarted(run_id="r1", workflow="review")),
        *progress.apply(started("review/0")),
        *progress.apply(StepFinished(run_id="r1", path="review/0", kind="ask", duration_ms=1230, cost_usd=0.0031)),
        *progress.apply(started("review/1.then.0", "Reviewer")),
        *progress.apply(
            StepFinished(run_id="r1", path="review/1.then.0", kind="ask", status="failed", error="no\nmodel")
        ),
    ]
    assert lines == [
        "review: run r1 started",
        "[review/0] Coder ...",
        "[review/0] Coder (1.2 s, $0.0031)",
        "  [review/1.then.0] Reviewer ...",
        "  [review/1.then.0] Reviewer (failed in 0.0 s): no model",
    ]


def test_the_answer_is_followed_at_the_step_that_asked_its_agent() -> None:
    progress = Progress()
    progress.apply(started("w/0.parallel[0]", "Coder"))
    progress.apply(started("w/0.parallel[1]", "Reviewer"))
    progress.apply(TextDelta(agent="Coder", delta="def "))
    progress.apply(TextDelta(agent="Coder", delta="f():"))
    coder, reviewer = progress.running()
    assert (coder.activity, coder.characters, reviewer.activity) == ("def f():", 8, "")
    progress.apply(MessageReset(agent="Coder", text="def"))
    assert (coder.activity, coder.characters) == ("def", 3)


def test_a_long_answer_keeps_its_end_only() -> None:
    progress = Progress()
    progress.apply(started("w/0"))
    progress.apply(TextDelta(agent="Coder", delta="x" * 10_000 + "end"))
    (step,) = progress.running()
    assert len(step.activity) <= 200
    assert step.activity.endswith("end")


def test_tool_calls_and_their_failures_are_told() -> None:
    progress = Progress()
    progress.apply(started("w/0"))
    called = ToolStart(agent="Coder", tool_call_id="1", tool_name="read_file", arguments={"path": "a"})
    assert progress.apply(called) == ['[w/0] Coder read_file {"path": "a"}']
    assert progress.apply(ToolEnd(agent="Coder", tool_call_id="1", tool_name="read_file", result="text")) == []
    assert progress.apply(
        ToolEnd(agent="Coder", tool_call_id="2", tool_name="read_file", result="Error: no", error=True)
    ) == ["read_file failed: Error: no"]


def test_how_far_a_tool_is_stands_beside_its_step() -> None:
    progress = Progress()
    progress.apply(started("w/0"))
    far = ToolProgress(agent="Coder", tool_call_id="1", tool_name="build", progress=3.0, total=10.0, message="li\nnk")
    assert progress.apply(far) == []
    assert [step.activity for step in progress.running()] == ["build 3/10 li nk"]
    assert progress_line(ToolProgress(tool_name="fetch", progress=0.5)) == "fetch 0.5"


def test_the_end_of_the_run_is_its_own_and_not_of_another() -> None:
    progress = Progress()
    progress.apply(WorkflowStarted(run_id="r1", workflow="review"))
    progress.apply(WorkflowCompleted(run_id="r2", workflow="other"))
    assert not progress.ended
    progress.apply(WorkflowFailed(run_id="r1", workflow="review", error="x"))
    assert (progress.ended, progress.status) == (True, "failed")


def test_no_text_of_a_model_can_steer_the_terminal() -> None:
    progress = Progress()
    lines = progress.apply(started("w/\x1b[2J0", "\x1b]0;title\x07Coder"))
    progress.apply(TextDelta(agent="x", delta="\x1b[2J"))
    lines += progress.apply(ToolStart(agent="x", tool_name="\x1b[1m", arguments={"a": "\x1b"}))
    lines += [step.activity for step in progress.running()]
    assert not any("\x1b" in line or "\x07" in line for line in lines)


def test_texts_are_cut_to_one_line() -> None:
    assert cut("a\n  b\tc") == "a b c"
    assert cut("x" * 200) == "x" * 97 + "..."


def test_small_amounts_keep_their_digits() -> None:
    assert (dollars(0.00312), dollars(12.345)) == ("$0.0031", "$12.35")
