"""What a model string means: `provider:name`, or a bare name."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Final

import attrs

from vega_trio.errors import ConfigError, did_you_mean

if TYPE_CHECKING:
    from importlib.metadata import EntryPoint

DEFAULT_MODEL = "claude-sonnet-5-5"
"""The newest Sonnet that the installed SDK lists; a test compares them."""

SMALL_MODEL = "claude-haiku-5-5"
"""The newest Haiku that the installed SDK lists; a test compares them."""

BUILTIN: Final = ("anthropic", "demo", "local", "openai", "recorded")
GROUP: Final = "vega_trio.models"
"""The entry point group in which other packages register providers."""

_EXAMPLES: Final[Mapping[str, str]] = {
    "anthropic": f"anthropic:{DEFAULT_MODEL}",
    "openai": "openai:gpt-5",
    "local": "local:/path/to/model.gguf",
    "recorded": "recorded:run.jsonl",
    "demo": "demo",
}


@attrs.frozen
class ModelName:
    """A parsed model string. `model` is empty for `demo` and for the installed local model."""

    provider: str
    model: str = ""

    def __str__(self) -> str:
        return f"{self.provider}:{self.model}" if self.model else self.provider


def registered() -> dict[str, EntryPoint]:
    """Providers that installed packages bring, by name. A built-in name cannot be taken."""
    from importlib.metadata import entry_points  # 20 ms, which only an unknown name and a document need

    return {each.name: each for each in entry_points(group=GROUP) if each.name not in BUILTIN}


def providers() -> tuple[str, ...]:
    """All there are, the built-in ones first."""
    return (*BUILTIN, *sorted(registered()))


def parse_model_name(text: str) -> ModelName:
    """`anthropic:NAME`, `openai:NAME`, `local`, `local:/path.gguf`, `recorded:FILE`, `demo`, or another provider's.

    Bare `gpt-*` is openai, any other bare name anthropic. Raises: ConfigError, with a suggestion, for an empty string,
    an unknown provider or a missing name.
    """
    text = text.strip()
    provider, colon, model = text.partition(":")
    if not colon:
        return _bare(text)
    if provider not in BUILTIN and provider not in registered():
        raise ConfigError(f"model {text!r}: unknown provider {provider!r}{did_you_mean(provider, providers())}")
    if provider == "demo" or not model.strip():
        raise ConfigError(f"model {text!r}: write {_EXAMPLES.get(provider, f'{provider}:NAME')!r}")
    return ModelName(provider, model.strip())


def small_model(text: str) -> str:
    """What does small work where the named model does the large: the newest Haiku beside a Claude, else the same."""
    name = parse_model_name(text)
    return f"anthropic:{SMALL_MODEL}" if name.provider == "anthropic" else str(name)


def _bare(text: str) -> ModelName:
    if not text:
        raise ConfigError(f"the model's name is empty; write for example {'anthropic:' + DEFAULT_MODEL!r} or 'demo'")
    if text in ("demo", "local"):
        return ModelName(text)
    if text.startswith("gpt-"):
        return ModelName("openai", text)
    return ModelName("anthropic", text)
