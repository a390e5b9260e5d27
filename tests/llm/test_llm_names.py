import re
import typing

import pytest
from anthropic.types import model as sdk_models
from hypothesis import given, settings
from hypothesis import strategies as st

from vega_trio.errors import ConfigError
from vega_trio.llm.names import BUILTIN, DEFAULT_MODEL, SMALL_MODEL, ModelName, parse_model_name, small_model


@pytest.mark.parametrize(("line", "ours"), [("sonnet", DEFAULT_MODEL), ("haiku", SMALL_MODEL)])
def test_our_models_are_the_newest_that_the_sdk_lists(line: str, ours: str) -> None:
    listed = typing.get_args(typing.get_args(sdk_models.Model)[0])
    versions = {
        tuple(int(part) for part in match.group(1).split("-")): name
        for name in listed
        if (match := re.fullmatch(rf"claude-{line}-(\d+(?:-\d{{1,2}})?)", name))
    }
    assert versions[max(versions)] == ours


def test_what_does_small_work_is_a_haiku_beside_a_claude_and_else_the_same() -> None:
    assert small_model("claude-opus-5") == f"anthropic:{SMALL_MODEL}"
    assert [small_model(each) for each in ("demo", "gpt-5", "local")] == ["demo", "openai:gpt-5", "local"]


@pytest.mark.parametrize(
    ("text", "provider", "model"),
    [
        ("anthropic:claude-sonnet-4-20250514", "anthropic", "claude-sonnet-4-20250514"),
        ("claude-sonnet-4-20250514", "anthropic", "claude-sonnet-4-20250514"),
        ("something-else", "anthropic", "something-else"),
        ("gpt-5", "openai", "gpt-5"),
        ("openai:llama3:8b", "openai", "llama3:8b"),
        ("recorded:a/b.jsonl", "recorded", "a/b.jsonl"),
        ("demo", "demo", ""),
        ("local", "local", ""),
        ("local:/m/a b.gguf", "local", "/m/a b.gguf"),
    ],
)
def test_a_model_string_says_provider_and_name(text: str, provider: str, model: str) -> None:
    parsed = parse_model_name(text)
    assert (parsed.provider, parsed.model) == (provider, model)
    assert parse_model_name(str(parsed)) == parsed


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("antropic:claude", "unknown provider 'antropic'; did you mean 'anthropic'"),
        ("llama3:8b", "unknown provider 'llama3'; there are: anthropic, demo, local, openai, recorded"),
        ("", "is empty"),
        ("local:", "local:/path/to/model.gguf"),
        ("demo:fast", "write 'demo'"),
        ("openai:", "openai:gpt-5"),
        ("anthropic: ", "anthropic:claude-sonnet"),
    ],
)
def test_a_wrong_one_says_what_to_write(text: str, said: str) -> None:
    with pytest.raises(ConfigError, match=re.escape(said)):
        parse_model_name(text)


@settings(max_examples=60)
@given(st.text(max_size=30))
def test_any_text_is_a_model_or_a_configuration_error(text: str) -> None:
    try:
        parsed = parse_model_name(text)
    except ConfigError:
        return
    assert isinstance(parsed, ModelName)
    assert parsed.provider in BUILTIN
