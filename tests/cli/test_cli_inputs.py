from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vega_trio.cli.failure import Failure
from vega_trio.cli.inputs import Given, bind, split_arguments
from vega_trio.dsl.policy import Place
from vega_trio.dsl.values import ValueType
from vega_trio.dsl.workflow import InputDefinition, WorkflowDefinition

KNOWN = {"--task": True, "--input": True, "--set": True, "--model": True, "--debug": False, "-q": False}
OPTIONS = tuple(name for name in KNOWN if name.startswith("--"))


def workflow(primary: str | None = "task", **types: ValueType) -> WorkflowDefinition:
    inputs = {name: InputDefinition(name=name, type=type_) for name, type_ in types.items()}
    return WorkflowDefinition(name="w", steps=(), place=Place("a.vega.yaml", 1, 1), inputs=inputs, primary=primary)


REVIEW = workflow(task="string", language="string", max_rounds="number")


def nothing(_asked: bool) -> str | None:
    return None


def bound(
    *args: str, to: WorkflowDefinition = REVIEW, stdin: Callable[[bool], str | None] = nothing
) -> tuple[dict[str, object], str | None]:
    return bind(split_arguments(args, KNOWN)[1], to, stdin, OPTIONS)


# -- the command line


def test_unknown_options_are_inputs_wherever_they_stand() -> None:
    rest, inputs = split_arguments(["--language", "go", "a.yaml", "--max-rounds=3", "--model", "demo"], KNOWN)
    assert rest == ["a.yaml", "--model", "demo"]
    assert inputs == [Given("name", "go", "language"), Given("name", "3", "max-rounds")]


def test_a_known_option_keeps_its_value() -> None:
    rest, inputs = split_arguments(["--model", "-x", "--debug", "-q", "x", "--set=a=--b"], KNOWN)
    assert rest == ["--model", "-x", "--debug", "-q", "x", "--set=a=--b"]
    assert inputs == [Given("set", "--b", "a")]


def test_an_input_takes_the_next_word_when_that_is_no_option() -> None:
    assert split_arguments(["--offset", "-5", "--text", "-- x", "--more=--debug"], KNOWN) == (
        [],
        [Given("name", "-5", "offset"), Given("name", "-- x", "text"), Given("name", "--debug", "more")],
    )


@pytest.mark.parametrize(
    ("args", "what", "hint"),
    [
        (["--n", "--task", "x"], "--n needs a value", "if --task is the value, write --n=--task"),
        (["--task", "--model", "demo"], "--task needs a value", "write --task VALUE"),
        (["--text", "-q"], "--text needs a value", "--text=-q"),
        (["--one", "--two=2"], "--one needs a value", "--one=--two=2"),
        (["--text"], "--text needs a value", "write --text VALUE"),
        (["--modle", "--task", "x"], "--modle needs a value", "or did you mean --model?"),
        (["--debgu", "--task", "x"], "--debgu is neither an option nor an input", "did you mean --debug?"),
    ],
)
def test_the_next_option_is_never_taken_for_a_value(args: list[str], what: str, hint: str) -> None:
    with pytest.raises(Failure) as failure:
        split_arguments(args, KNOWN)
    assert failure.value.message == what
    assert hint in failure.value.hint


def test_what_follows_two_dashes_is_left_alone() -> None:
    assert split_arguments(["--", "--language", "go"], KNOWN) == (["--", "--language", "go"], [])


def test_an_input_without_a_value_is_refused() -> None:
    with pytest.raises(Failure, match="--language needs a value"):
        split_arguments(["a.yaml", "--language"], KNOWN)


@pytest.mark.parametrize("text", ["language", "=go", " =go", ""])
def test_set_needs_a_name_and_a_value(text: str) -> None:
    with pytest.raises(Failure, match="is no NAME=VALUE"):
        split_arguments(["--set", text], KNOWN)


def test_set_splits_at_the_first_equals_sign() -> None:
    assert bound("--set", "language=a=b")[0] == {"language": "a=b"}


WORDS = st.text(max_size=6)
PIECES = st.one_of(
    st.tuples(st.just("file"), st.from_regex(r"[a-z][a-z.]{0,6}", fullmatch=True), st.just("")),
    st.tuples(st.just("flag"), st.sampled_from(["--debug", "-q"]), st.just("")),
    st.tuples(st.just("option"), st.just("--model"), WORDS),
    st.tuples(st.just("input"), st.from_regex(r"[a-z_-]{1,6}", fullmatch=True), WORDS),
)


@given(st.lists(PIECES, max_size=6), st.booleans())
def test_every_word_goes_where_it_belongs(pieces: list[tuple[str, str, str]], equals: bool) -> None:
    args, rest, inputs = [], [], []
    for kind, name, value in pieces:
        if kind == "input" and "--" + name not in (*KNOWN, "--"):
            args += [f"--{name}={value}"] if equals else ["--" + name, value]
            inputs.append(Given("name", value, name))
        elif kind == "option":
            args += [name, value]
            rest += [name, value]
        elif kind != "input":
            args.append(name)
            rest.append(name)
    assert split_arguments(args, KNOWN) == (rest, inputs)


# -- binding


def test_every_way_to_give_an_input_binds_it() -> None:
    values, primary = bound("--task", "sort", "--language", "go", "--set", "max_rounds=3")
    assert values == {"task": "sort", "language": "go", "max_rounds": "3"}
    assert primary is None


def test_dashes_and_underscores_are_alike() -> None:
    assert bound("--max-rounds", "3", "--set", "max-rounds=4")[0] == {"max_rounds": "4"}


@pytest.mark.parametrize(
    "args",
    [
        ("--set", "task=a", "--task", "b"),
        ("--task", "a", "--set", "task=b"),
        ("--task", "a", "--input", "b"),
        ("--input", '{"task": "a"}', "--task", "b"),
        ("--task", "a", "--input", '{"task": "b"}'),
    ],
)
def test_the_last_of_several_values_wins(args: tuple[str, ...]) -> None:
    assert bound(*args)[0] == {"task": "b"}


def test_a_json_object_holds_inputs_by_name() -> None:
    values, _ = bound("--input", '{"task": "sort", "max-rounds": 3}')
    assert values == {"task": "sort", "max_rounds": 3}


@pytest.mark.parametrize("text", ["plain", "[1, 2]", "{ not json }", '"quoted"', "12"])
def test_any_other_input_is_the_primary_one(text: str) -> None:
    assert bound("--input", text)[0] == {"task": text}


def test_a_file_is_read(tmp_path: Path) -> None:
    plain, data = tmp_path / "task.txt", tmp_path / "inputs.json"
    plain.write_text("Sort this\nlist\n")
    data.write_text(json.dumps({"task": "sort", "language": "go"}))
    assert bound("--input", str(plain))[0] == {"task": "Sort this\nlist"}
    assert bound("--input", str(data))[0] == {"task": "sort", "language": "go"}


def test_a_json_file_that_holds_no_json_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "inputs.json"
    path.write_text("{task: sort}")
    with pytest.raises(Failure, match="holds no JSON"):
        bound("--input", str(path))


def test_a_file_that_is_no_text_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "task.txt"
    path.write_bytes(b"\xff\xfe\x00")
    with pytest.raises(Failure, match="not UTF-8"):
        bound("--input", str(path))


@pytest.mark.parametrize("text", ["x" * 5000, "a\0b", "."])
def test_text_that_is_no_path_is_text(text: str) -> None:
    assert bound("--input", text)[0] == {"task": text}


def test_what_is_piped_in_is_the_primary_input_if_nothing_else_gives_it() -> None:
    assert bound("--language", "go", stdin=lambda _: "piped")[0] == {"language": "go", "task": "piped"}
    assert bound("--task", "given", stdin=lambda _: "piped")[0] == {"task": "given"}
    assert bound(stdin=lambda _: None)[0] == {}


def test_a_dash_asks_for_stdin_and_may_hold_json() -> None:
    asked: list[bool] = []

    def stdin(asked_for: bool) -> str:
        asked.append(asked_for)
        return '{"task": "piped", "language": "go"}'

    assert bound("--input", "-", stdin=stdin)[0] == {"task": "piped", "language": "go"}
    assert asked == [True]


def test_an_empty_stdin_gives_no_input() -> None:
    assert bound("--input", "-")[0] == {}


def test_stdin_is_read_once() -> None:
    with pytest.raises(Failure, match="read twice"):
        bound("--input", "-", "--input", "-", stdin=lambda _: "x")


def test_stdin_is_left_alone_by_a_workflow_without_inputs() -> None:
    def stdin(_asked: bool) -> str:
        raise AssertionError("nobody wanted it")

    assert bound(to=workflow(primary=None), stdin=stdin) == ({}, None)


def test_task_and_input_bind_to_a_primary_input_of_another_name() -> None:
    ask = workflow(primary="message", message="string")
    assert bound("--task", "hi", to=ask)[0] == {"message": "hi"}
    assert bound("--set", "input=hi", to=ask)[0] == {"message": "hi"}
    assert bound("--input", '{"task": "hi"}', to=ask)[0] == {"message": "hi"}


def test_without_a_primary_input_the_text_is_handed_on_for_the_error() -> None:
    assert bound("--task", "hi", to=workflow(primary=None, a="string", b="string")) == ({}, "hi")


@pytest.mark.parametrize(("text", "value"), [("3", 3), ("[1]", [1]), ("true", True), ("plain", "plain"), ("", "")])
def test_text_for_an_input_of_any_type_becomes_the_json_it_is(text: str, value: object) -> None:
    free = workflow(primary="x", x="any")
    assert bound("--x", text, to=free)[0] == {"x": value}
    assert bound("--set", f"x={text}", to=free)[0] == {"x": value}


def test_text_for_a_typed_input_stays_text_for_the_language_to_coerce() -> None:
    assert bound("--set", "max_rounds=3")[0] == {"max_rounds": "3"}


def test_an_object_may_be_the_primary_input_itself() -> None:
    config = workflow(primary="config", config="object")
    assert bound("--input", '{"a": 1}', to=config)[0] == {"config": '{"a": 1}'}
    assert bound("--input", '{"config": {"a": 1}}', to=config)[0] == {"config": {"a": 1}}


def test_a_slip_of_an_option_is_named() -> None:
    with pytest.raises(Failure) as caught:
        bound("--modle", "demo")
    assert caught.value.hint == "did you mean --model?"


def test_an_unknown_input_is_left_to_the_language() -> None:
    assert bound("--colour", "red")[0] == {"colour": "red"}
