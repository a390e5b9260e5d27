"""What a model string means: `provider:name`, or a bare name."""

from __future__ import annotations

from typing import Literal, get_args

import attrs

from vega_trio.errors import ConfigError, did_you_mean

DEFAULT_MODEL = "claude-sonnet-5-5"
"""The newest Sonnet that the installed SDK lists; a test compares them."""

Provider = Literal["anthropic", "demo", "local", "openai"]
PROVIDERS: tuple[Provider, ...] = get_args(Provider)


@attrs.frozen
class ModelName:
    """A parsed model string. `model` is empty for `demo` and for the installed local model."""

    provider: Provider
    model: str = ""

    def __str__(self) -> str:
        return f"{self.provider}:{self.model}" if self.model else self.provider


def parse_model_name(text: str) -> ModelName:
    """`anthropic:NAME`, `openai:NAME`, `local`, `local:/path.gguf`, `demo`; bare `gpt-*` is openai, the rest anthropic.

    Raises: ConfigError, with a suggestion, for an empty string, an unknown provider or a missing name.
    """
    text = text.strip()
    provider, colon, model = text.partition(":")
    if not colon:
        return _bare(text)
    if provider not in PROVIDERS:
        raise ConfigError(f"model {text!r}: unknown provider {provider!r}{did_you_mean(provider, PROVIDERS)}")
    if provider == "demo" or not model.strip():
        raise ConfigError(f"model {text!r}: write {_example(provider)!r}")
    return ModelName(provider, model.strip())


def _bare(text: str) -> ModelName:
    if not text:
        raise ConfigError(f"the model's name is empty; write for example {'anthropic:' + DEFAULT_MODEL!r} or 'demo'")
    if text in ("demo", "local"):
        return ModelName("demo" if text == "demo" else "local")
    if text.startswith("gpt-"):
        return ModelName("openai", text)
    return ModelName("anthropic", text)


def _example(provider: Provider) -> str:
    match provider:
        case "anthropic":
            return f"anthropic:{DEFAULT_MODEL}"
        case "openai":
            return "openai:gpt-5"
        case "local":
            return "local:/path/to/model.gguf"
        case "demo":
            return "demo"
