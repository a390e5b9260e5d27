"""When a skill belongs into a prompt: triggers, scores, ranks."""

from __future__ import annotations

import time
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vega_trio.skills.parse import BadSkill, parse_skill
from vega_trio.skills.prompt import SkillsPrompt
from vega_trio.skills.skill import Keywords, Skill

PATH = Path("skills/some.skill.md")


def skill(front: str, body: str = "Body.") -> Skill:
    return parse_skill(f"---\nname: some\ndescription: About it.\n{front}\n---\n\n{body}\n".encode(), PATH)


def keyword(*words: str) -> Skill:
    return skill(f"triggers:\n  - type: keyword\n    keywords: {list(words)!r}")


@pytest.mark.parametrize(
    ("words", "message", "score"),
    [
        (["review"], "please review this", 1.0),
        (["review"], "he reviewed it", 1.0),
        (["review"], "reviewing", 1.0),
        (["review"], "two Reviews.", 1.0),
        (["review"], "a preview", 0.0),
        (["PR"], "look at my PR", 1.0),
        (["PR"], "look at my PRs", 1.0),
        (["PR"], "I approve", 0.0),
        (["pull request"], "two pull  requests", 1.0),
        (["pull request"], "pull the request", 0.0),
        (["code", "review"], "code only", 0.5),
        (["code", "review"], "code review", 1.0),
        (["a1", "b2", "c3", "d4"], "a1 and b2", 0.6),
        (["a1", "b2", "c3", "d4"], "a1", 0.25),
        (["plan"], "we planned it, planning on", 1.0),
        (["bake"], "baking and baked", 1.0),
        (["query"], "queries", 1.0),
        (["c++"], "in C++ please", 1.0),
        (["c++"], "c+", 0.0),
        (["straße"], "STRASSE", 1.0),
        (["über"], "das Über-Ich", 1.0),
    ],
)
def test_keywords_are_whole_words_and_phrases_with_their_endings(words: list[str], message: str, score: float) -> None:
    assert keyword(*words).score(message) == pytest.approx(score)


def test_several_words_count_a_fifth_more_and_never_more_than_all() -> None:
    three = keyword("one", "two", "three")
    assert three.score("one") == pytest.approx(1 / 3)
    assert three.score("one two") == pytest.approx(2 / 3 * 1.2)
    assert three.score("one two three") == 1.0


def test_a_pattern_scores_nine_tenths_in_any_case() -> None:
    found = skill('triggers: [{type: pattern, pattern: "review (this|my) (code|changes)"}]')
    assert found.score("Please REVIEW my Code") == 0.9
    assert found.score("review the code") == 0.0


def test_always_is_always_and_the_best_trigger_counts() -> None:
    assert skill("triggers: [{type: always}]").score("") == 1.0
    both = skill("triggers: [{type: keyword, keywords: [a1, b2, c3]}, {type: pattern, pattern: a1}]")
    assert both.score("a1") == 0.9
    assert skill("").score("anything") == 0.0


@pytest.mark.parametrize("pattern", ["(?=a)b", "(?!a)b", "(?<=a)b", "(?<!a)b", r"(a)\1", "(", "[z-a]", "a{1001}"])
def test_what_re2_does_not_do_is_refused_with_the_file(pattern: str) -> None:
    with pytest.raises(BadSkill, match="its pattern"):
        skill(f"triggers: [{{type: pattern, pattern: '{pattern}'}}]")


REDOS = ["(a+)+$", "([a-zA-Z]+)*$", "(a|aa)+$", "(a|a?)+$", "(.*a){20}", "^(([a-z])+.)+[A-Z]([a-z])+$", r"(\w+\s?)*!"]


@pytest.mark.parametrize("pattern", REDOS)
def test_patterns_that_explode_elsewhere_take_linear_time(pattern: str) -> None:
    """Security: YAML, regex. Each within 50 ms on a message that makes a backtracking engine explode."""
    found = skill(f"triggers: [{{type: pattern, pattern: '{pattern}'}}]")
    begun = time.thread_time()
    found.score("a" * 10_000 + "\x00")
    assert time.thread_time() - begun < 0.05


def test_keywords_take_linear_time_on_a_hostile_message() -> None:
    found = Keywords(("pull request review", "a a a a a a"))
    begun = time.thread_time()
    found.score("pull " * 20_000)
    found.score("a " * 20_000 + "b")
    found.score("pull" + " " * 200_000)
    assert time.thread_time() - begun < 0.5


@given(st.lists(st.text(min_size=1, max_size=20).filter(str.strip), min_size=1, max_size=5), st.text(max_size=200))
def test_a_score_is_between_nothing_and_one_whatever_the_words(words: list[str], message: str) -> None:
    assert 0.0 <= Keywords(tuple(words)).score(message) <= 1.0


def _named(name: str, *words: str) -> Skill:
    found = keyword(*words)
    return Skill(name=name, description="d", body=f"do {name}", path=PATH, triggers=found.triggers)


def test_the_best_come_first_ties_by_name_and_no_more_than_may() -> None:
    skills = (_named("zeta", "go"), _named("half", "go", "stop"), _named("alpha", "go"), _named("none", "other"))
    prompt = SkillsPrompt("Base.", skills=skills, max_active=3)
    assert [each.name for each in prompt.active("go")] == ["alpha", "zeta", "half"]
    assert prompt.prompt("go").startswith("Base.\n\n# Active Skills\n\n## alpha\n\ndo alpha\n\n## zeta\n\n")
    assert prompt.prompt("nothing of it") == "Base."
    assert SkillsPrompt("Base.", skills=skills, max_active=0).prompt("go") == "Base."
