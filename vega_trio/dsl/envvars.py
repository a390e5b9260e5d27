"""`${NAME}` and `${NAME:-default}` in the texts of a document, replaced after it was read as YAML."""

from __future__ import annotations

import re
from collections.abc import Mapping

import attrs

from vega_trio.dsl.yaml_nodes import YamlList, YamlMap, YamlNode, YamlScalar

_VARIABLE = re.compile(r"\$(\$?)\{([A-Za-z_][A-Za-z0-9_]*)(?::-([^}]*))?\}|\$\$\{")


def substitute(node: YamlNode, env: Mapping[str, str]) -> YamlNode:
    """The tree with the variables of `env` in its texts. Empty counts as unset; `$${` is literal.

    A scalar that needed an unset variable has its name in `unset`; that place of its text is empty.
    """
    match node:
        case YamlScalar():
            return _scalar(node, env)
        case YamlList():
            items = tuple(substitute(item, env) for item in node.items)
            same = all(new is old for new, old in zip(items, node.items, strict=True))
            return node if same else attrs.evolve(node, items=items)
        case YamlMap():
            entries = tuple((key, substitute(value, env)) for key, value in node.entries)
            same = all(new[1] is old[1] for new, old in zip(entries, node.entries, strict=True))
            return node if same else attrs.evolve(node, entries=entries)


def _scalar(node: YamlScalar, env: Mapping[str, str]) -> YamlScalar:
    if not isinstance(node.value, str) or "${" not in node.value:
        return node
    unset = ""

    def replacement(found: re.Match[str]) -> str:
        nonlocal unset
        if found[1] or found[2] is None:  # `$${`
            return found[0][1:]
        value = env.get(found[2]) or found[3]
        if value is None:
            unset = unset or found[2]
        return value or ""

    text = _VARIABLE.sub(replacement, node.value)
    if text == node.value:
        return node
    return attrs.evolve(node, value=text, text=text, substituted=True, unset=unset)
