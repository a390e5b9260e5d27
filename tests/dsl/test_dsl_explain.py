"""Every code is explained, and every example is what it says it is."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from dsl_cases import AGENTS, ENV, codes, load, run

import vega_trio.dsl
from vega_trio.dsl.effects import Ask, StepFailed
from vega_trio.dsl.explain import EXPLANATIONS, explain
from vega_trio.errors import DocumentError

STATIC = [code for code in EXPLANATIONS if code[0] != "R" and code not in ("V001", "V009")]
FAILING = {"R001", "R002", "R003", "R006", "R007"}
FILES = {"style.md": "Be brief.", "tools/clock.yaml": "clock: {run: date}"}


def whole(text: str) -> str:
    return text if re.search(r"(?m)^agents:", text) else AGENTS + text


def found(code: str, text: str) -> list[str]:
    env = {} if code == "V011" else ENV
    providers = ("anthropic", "openai", "demo", "local")
    options = {"env": env, "files": FILES, "isolated": code != "W115", "providers": providers}
    return codes(text if code == "V010" else whole(text), **options)


@pytest.mark.parametrize("code", STATIC)
def test_the_wrong_example_gives_the_code_and_the_right_one_does_not(code: str) -> None:
    example = EXPLANATIONS[code]
    assert code in found(code, example.wrong)
    assert not [each for each in found(code, example.right) if each == code or each[0] == "V"]


@pytest.mark.parametrize("code", [code for code in EXPLANATIONS if code[0] == "R"])
def test_the_examples_of_failing_runs_run(code: str) -> None:
    example = EXPLANATIONS[code]
    load(whole(example.wrong))
    run(whole(example.right), {"topic": "trio"}, lambda _: "words", name="write")
    if code in FAILING:
        with pytest.raises(StepFailed) as error:
            run(whole(example.wrong), {"topic": "trio"}, lambda _: "words", name="write")
        assert error.value.code == code


def test_the_variable_of_the_example_is_missing() -> None:
    example = EXPLANATIONS["V009"]
    assert [each.code for each in load(example.wrong).missing_env] == ["V009"]
    assert load(example.right).missing_env == ()


def test_every_code_that_the_language_gives_is_explained() -> None:
    package = Path(vega_trio.dsl.__file__).parent
    named = {code for path in package.glob("*.py") for code in re.findall(r'"([VWR]\d{3})"', path.read_text("utf-8"))}
    assert named <= EXPLANATIONS.keys()


def test_an_explanation_is_text() -> None:
    assert explain("v012 ") == (
        "V012: No agent of that name is declared.\n"
        "\n"
        "wrong:\n"
        "    agents:\n"
        "      Reviewer: {system: You review.}\n"
        "    workflows:\n"
        "      check:\n"
        "        steps:\n"
        "          - Reveiwer: Look at this.\n"
        "\n"
        "right:\n"
        "    agents:\n"
        "      Reviewer: {system: You review.}\n"
        "    workflows:\n"
        "      check:\n"
        "        steps:\n"
        "          - Reviewer: Look at this.\n"
    )
    assert explain("V999") is None


def test_an_agent_that_fails_is_class_and_code_of_its_driver() -> None:
    def crash(ask: Ask) -> str:
        raise StepFailed("it crashed", "agent_crashed", code="R008")

    with pytest.raises(StepFailed) as error:
        run(whole(EXPLANATIONS["R008"].wrong), {"topic": "trio"}, crash, name="write")
    assert (error.value.code, error.value.error_class) == ("R008", "agent_crashed")


def test_a_document_error_names_the_command_that_explains() -> None:
    with pytest.raises(DocumentError, match="vega explain V012"):
        load(EXPLANATIONS["V012"].wrong)
