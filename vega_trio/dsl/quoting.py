"""Values as YAML text that means them again."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from typing import Any, Final

from vega_trio.dsl.yaml_core import resolve

UNPRINTABLE: Final = re.compile(r"[\x7f-\x9f\u2028\u2029\ud800-\udfff\ufeff\ufffe\uffff]")
_PLAIN: Final = re.compile(r"[A-Za-z0-9_./][A-Za-z0-9_./@+-]*")


def flow(value: Any) -> str:
    """On one line: JSON, which YAML 1.2 contains, but for characters that YAML wants escaped."""
    text = json.dumps(value, ensure_ascii=False)
    return UNPRINTABLE.sub(lambda found: f"\\u{ord(found[0]):04x}", text)


def block(value: Mapping[str, Any]) -> Iterator[str]:
    """A mapping as lines, one a key, what is in a mapping below indented by two; lists stay on one line."""
    for key, inner in value.items():
        if isinstance(inner, Mapping) and inner:
            yield f"{_word(key)}:"
            yield from (f"  {line}" for line in block(inner))
        else:
            yield f"{_word(key)}: {_word(inner)}"


def item(value: Mapping[str, Any] | str) -> Iterator[str]:
    """A mapping, or a text, as an item of a list."""
    lines = (_word(value),) if isinstance(value, str) else block(value)
    for number, line in enumerate(lines):
        yield f"{'  ' if number else '- '}{line}"


def _word(value: Any) -> str:
    """Without quotes where a text needs none."""
    plain = isinstance(value, str) and _PLAIN.fullmatch(value) is not None and isinstance(resolve(value), str)
    return str(value) if plain else flow(value)
