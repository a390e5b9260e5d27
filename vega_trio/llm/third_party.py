"""Models of other packages, registered under the entry point group `vega_trio.models`.

    [project.entry-points."vega_trio.models"]
    acme = "acme_vega:make_model"

`make_model(name, env)` gives an object of the `Model` protocol for `acme:name`; `env` holds keys and addresses. It
opens nothing; what it opens at its first call it closes in `aclose()`, if it has one, at the program's end.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from vega_trio.errors import ConfigError
from vega_trio.llm.names import ModelName
from vega_trio.protocols import Model

if TYPE_CHECKING:
    from importlib.metadata import EntryPoint


def make_model(entry: EntryPoint, name: ModelName, env: Mapping[str, str]) -> Model:
    """Raises: ConfigError, naming the package, when it cannot be imported or gives no model."""
    package = entry.dist.name if entry.dist is not None else entry.value
    try:
        made = entry.load()(name.model, env)
    except (ImportError, AttributeError, TypeError, ValueError) as error:
        raise ConfigError(f"model {str(name)!r}: the package {package!r} cannot make it: {error}") from error
    if not isinstance(made, Model):
        raise ConfigError(f"model {str(name)!r}: the package {package!r} gave {made!r}, which is no vega_trio Model")
    return made
