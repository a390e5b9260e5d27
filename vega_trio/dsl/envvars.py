"""`${NAME}` and `${NAME:-default}` in the texts of a document, replaced after it was read as YAML.

`$NAME` is one too in the `env` and `headers` of MCP servers. What a variable holds is not looked into again.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping

import attrs

from vega_trio.dsl.yaml_nodes import YamlList, YamlMap, YamlNode, YamlScalar

_VARIABLE = re.compile(r"\$(\$?)\{([A-Za-z_][A-Za-z0-9_]*)(?::-([^}]*))?\}|\$\$\{")
_BARE = re.compile(_VARIABLE.pattern + r"|\$([A-Za-z_][A-Za-z0-9_]*)")


def substitute(node: YamlNode, env: Mapping[str, str], bare: Collection[str] = ()) -> YamlNode:
    """The tree with the variables of `env` in its texts. Empty counts as unset; `$${` is literal.

    Under the keys that `bare` names, `$NAME` is a variable too. A scalar that needed an unset variable has its name in
    `unset`; that place of its text is empty.
    """
    return _substituted(node, env, bare, _VARIABLE)


def _substituted(node: YamlNode, env: Mapping[str, str], bare: Collection[str], pattern: re.Pattern[str]) -> YamlNode:
    match node:
        case YamlScalar():
            return _scalar(node, env, pattern)
        case YamlList():
            items = tuple(_substituted(item, env, bare, pattern) for item in node.items)
            same = all(new is old for new, old in zip(items, node.items, strict=True))
            return node if same else attrs.evolve(node, items=items)
        case YamlMap():
            entries = tuple(
                (key, _substituted(value, env, bare, _BARE if key.text in bare else pattern))
                for key, value in node.entries
            )
            same = all(new[1] is old[1] for new, old in zip(entries, node.entries, strict=True))
            return node if same else attrs.evolve(node, entries=entries)


def _scalar(node: YamlScalar, env: Mapping[str, str], pattern: re.Pattern[str]) -> YamlScalar:
    if not isinstance(node.value, str) or "$" not in node.value:
        return node
    unset = ""

    def replacement(found: re.Match[str]) -> str:
        nonlocal unset
        name = found[2] or (found[4] if pattern is _BARE else None)
        if found[1] or name is None:  # `$${`
            return found[0][1:]
        value = env.get(name) or found[3]
        if value is None:
            unset = unset or name
        return value or ""

    text = pattern.sub(replacement, node.value)
    if text == node.value:
        return node
    return attrs.evolve(node, value=text, text=text, substituted=True, unset=unset)
