"""Other programs' words for an MCP server, in ours: pure.

What looks like a secret is not taken along: a variable stands in its place, named in a note, for a document is read by
others than its author. A variable stays one; every other `${` is text.
"""

from __future__ import annotations

import json
import re
from collections.abc import Collection, Mapping
from itertools import chain, count
from typing import Any, Final

import attrs

from vega_trio._core.masking import Secrets
from vega_trio._core.redact import is_secret_name
from vega_trio.dsl.words import SERVER_NAME

TRANSPORTS: Final[Mapping[str, str]] = {
    "http": "http",
    "streamable-http": "http",
    "streamableHttp": "http",
    "sse": "sse",
}
_ADDRESSES: Final = ("url", "serverUrl", "httpUrl")
_HOLE: Final = re.compile(r"\$\{(?:(input|env):)?([A-Za-z_][A-Za-z0-9_-]*)(:-[^{}]*)?\}|\$\{")
_BARE: Final = re.compile(r"\$[A-Za-z_]")  # a variable in our `env` and `headers`
_ALONE: Final = re.compile(r"(?:[A-Za-z]+ )?\$\{(?:input:|env:)?[A-Za-z_][A-Za-z0-9_-]*:-[^{}]*\}")
_PLACES: Final[Mapping[str, str]] = {"workspaceFolder": ".", "userHome": "${HOME}", "pathSeparator": "/"}


def converted(given: Mapping[str, Any], notes: list[str]) -> dict[str, dict[str, Any]]:
    """The servers by name. `notes` gets what a person has to look at."""
    found: dict[str, dict[str, Any]] = {}
    named = (hole for hole in _HOLE.finditer(json.dumps(given)) if hole[2])
    variables = {_variable(hole): "" for hole in named}  # they stand for what we do not know
    for name, described in given.items():
        fit = re.sub(r"_{2,}", "_", re.sub(r"[^A-Za-z0-9_.-]", "-", name)).strip("_-.")[:63]
        if not isinstance(described, dict) or not SERVER_NAME.fullmatch(fit) or fit in found:
            notes.append(f"the server {name!r} is left out: it needs a name of its own and a description")
            continue
        if fit != name:
            notes.append(f"the server {name!r} is called {fit!r} here")
        made = _Server(fit, notes, variables).converted(described)
        if "command" in made or "url" in made:
            found[fit] = made
        else:
            notes.append(f"the server {name!r} is left out: it has neither a command nor a url")
    return found


def secrets_in(name: str, given: Mapping[str, Any]) -> dict[str, str]:
    """What holds a secret in the description of a server, with the variable that should stand there."""
    server = _Server(name, [], {})
    server.converted(given)
    return server.secrets


@attrs.frozen
class _Server:
    """One server on its way into our words. `variables` has what each stands for, of all servers."""

    name: str
    notes: list[str]
    variables: dict[str, str] = attrs.field(repr=False)
    secrets: dict[str, str] = attrs.field(factory=dict, init=False)

    def converted(self, given: Mapping[str, Any]) -> dict[str, Any]:
        made: dict[str, Any] = {}
        for key in ("command", "cwd"):
            if isinstance(given.get(key), str) and given[key]:
                made[key] = self._value(key, given[key])
        if isinstance(given.get("args"), list) and given["args"]:
            words = self._rules().in_arguments([str(each) for each in given["args"]])
            made["args"] = [self._text(word) for word in words]
        address = next((given[key] for key in _ADDRESSES if isinstance(given.get(key), str)), "")
        made |= {"url": self._value("url", address)} if address else {}
        made |= {"transport": TRANSPORTS[given["type"]]} if given.get("type") in TRANSPORTS else {}
        for key in ("env", "headers"):
            if isinstance(given.get(key), dict) and given[key]:
                own = given[key] if key == "env" else ()
                made[key] = {each: self._named(each, str(text), own) for each, text in given[key].items()}
        if given.get("disabled") is True:
            made["disabled"] = True
        known = {*made, *_ADDRESSES, "type", "args", "env", "headers", "disabled"}
        odd = (key for key in given if key not in known)
        self.notes.extend(f"{self.name}: {key!r} has no counterpart and is left out" for key in odd)
        return made

    def _named(self, key: str, text: str, own: Collection[str]) -> str:
        if _BARE.search(text) and not is_secret_name(key):
            self.notes.append(f"{self.name}: look at the value of {key}: a $ before a name is a variable here")
        return self._value(key, text, own)

    def _value(self, key: str, text: str, own: Collection[str] = ()) -> str:
        return self._text(self._rules(own).in_value(key, text))

    def _rules(self, own: Collection[str] = ()) -> Secrets:
        """Of the variables `own` the names are kept, where they are free."""
        return Secrets(_is_literal, lambda key, text: self._instead(key, text, own))

    def _instead(self, key: str, text: str, own: Collection[str]) -> str:
        """A variable; or the one that has the secret as its default, without that."""
        if _ALONE.fullmatch(text):
            return _HOLE.sub(self._without_default, text)
        ours = variable_of(f"{self.name}_{key.strip('-')}")
        first = variable_of(key) if key in own else ours
        names = chain((first, ours), (f"{ours}_{number}" for number in count(2)))
        name = next(each for each in names if self.variables.setdefault(each, text) == text)
        return self._told(key, name)

    def _told(self, key: str, name: str) -> str:
        self.secrets[key] = name
        note = f"{self.name}: set {name} in the environment; its value stays where it was"
        if note not in self.notes:
            self.notes.append(note)
        return f"${{{name}}}"

    def _text(self, text: str) -> str:
        return _HOLE.sub(self._hole, text)

    def _hole(self, found: re.Match[str]) -> str:
        kind, name, default = found[1], found[2], found[3] or ""
        if name is None:
            return "$${"
        if kind is None and name in _PLACES:
            return _PLACES[name]
        if _has_default(found) and is_secret_name(name):
            return self._without_default(found)
        return f"${{{_variable(found)}{default}}}"

    def _without_default(self, found: re.Match[str]) -> str:
        return self._told(found[2], _variable(found))


def variable_of(words: str) -> str:
    """The words as the name of a variable of the environment."""
    name = re.sub(r"\W", "_", words, flags=re.ASCII).upper()
    return f"_{name}" if name[:1].isdigit() else name


def _variable(found: re.Match[str]) -> str:
    return variable_of(found[2]) if found[1] == "input" or "-" in found[2] else found[2]


def _has_default(found: re.Match[str]) -> bool:
    return found[3] is not None and len(found[3]) > len(":-")


def _is_literal(text: str) -> bool:
    """Whether it names no variable, or one with a default: of what is secret, that is the secret."""
    holes = [found for found in _HOLE.finditer(text) if found[2]]
    return bool(text) and (not holes or any(map(_has_default, holes)))
