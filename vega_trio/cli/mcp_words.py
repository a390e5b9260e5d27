"""Other programs' words for an MCP server, in ours: pure.

What looks like a secret is not taken along: a variable stands in its place, named in a note, for a document is read by
others than its author. A variable stays one; every other `${` is text.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any, Final

import attrs

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
_PLACES: Final[Mapping[str, str]] = {"workspaceFolder": ".", "userHome": "${HOME}", "pathSeparator": "/"}
_KEYED: Final = re.compile(r"(-{1,2}[A-Za-z][\w-]*|[A-Za-z][\w-]*(?=:))(=|:\s*)(.+)", re.DOTALL)
_PASSWORD: Final = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*://[^/?#]*@")
_QUERY: Final = re.compile(r"([?&])([^=&#]+)=([^&#]+)")


def converted(given: Mapping[str, Any], notes: list[str]) -> dict[str, dict[str, Any]]:
    """The servers by name. `notes` gets what a person has to look at."""
    found: dict[str, dict[str, Any]] = {}
    for name, described in given.items():
        fit = re.sub(r"_{2,}", "_", re.sub(r"[^A-Za-z0-9_.-]", "-", name)).strip("_-.")[:63]
        if not isinstance(described, dict) or not SERVER_NAME.fullmatch(fit) or fit in found:
            notes.append(f"the server {name!r} is left out: it needs a name of its own and a description")
            continue
        if fit != name:
            notes.append(f"the server {name!r} is called {fit!r} here")
        made = _Server(fit, notes).converted(described)
        if "command" in made or "url" in made:
            found[fit] = made
        else:
            notes.append(f"the server {name!r} is left out: it has neither a command nor a url")
    return found


def is_secret(key: str, text: str) -> bool:
    """Whether a value is to stand in no document: its key says so, and it names no variable."""
    secret = is_secret_name(key) or "authorization" in key.lower()
    return secret and bool(text) and not any(found[2] for found in _HOLE.finditer(text))


@attrs.frozen
class _Server:
    """One server on its way into our words."""

    name: str
    notes: list[str]

    def converted(self, given: Mapping[str, Any]) -> dict[str, Any]:
        made: dict[str, Any] = {}
        for key in ("command", "cwd"):
            if isinstance(given.get(key), str) and given[key]:
                made[key] = _text(given[key])
        if isinstance(given.get("args"), list) and given["args"]:
            made["args"] = self._arguments([str(each) for each in given["args"]])
        address = next((given[key] for key in _ADDRESSES if isinstance(given.get(key), str)), "")
        made |= {"url": self._address(address)} if address else {}
        made |= {"transport": TRANSPORTS[given["type"]]} if given.get("type") in TRANSPORTS else {}
        for key, prefix in (("env", ()), ("headers", (self.name,))):
            if isinstance(given.get(key), dict) and given[key]:
                made[key] = {each: self._value(each, str(text), prefix) for each, text in given[key].items()}
        if given.get("disabled") is True:
            made["disabled"] = True
        known = {*made, *_ADDRESSES, "type", "args", "env", "headers", "disabled"}
        odd = (key for key in given if key not in known)
        self.notes.extend(f"{self.name}: {key!r} has no counterpart and is left out" for key in odd)
        return made

    def _value(self, key: str, text: str, prefix: Sequence[str]) -> str:
        """A variable where the text looks like a secret; else the text."""
        if is_secret(key, text):
            return self._instead(*prefix, key)
        if _BARE.search(text):
            self.notes.append(f"{self.name}: look at the value of {key}: a $ before a name is a variable here")
        return _text(text)

    def _arguments(self, given: list[str]) -> list[str]:
        """`--api-key=VALUE`, `--api-key VALUE` and `--header 'Authorization: VALUE'` hold secrets, too."""
        return [self._argument(before, word) for before, word in zip(["", *given], given, strict=False)]

    def _argument(self, before: str, word: str) -> str:
        found = _KEYED.fullmatch(word)
        if found is not None and is_secret(found[1], found[3]):
            return f"{found[1]}{found[2]}{self._instead(self.name, found[1])}"
        if before.startswith("-") and "=" not in before and not word.startswith("-") and is_secret(before, word):
            return self._instead(self.name, before)
        return _text(word)

    def _address(self, url: str) -> str:
        """With a name and a password before the host the whole is a secret; else what follows the `?` may be."""
        return self._instead(self.name, "url") if _PASSWORD.match(url) else _text(_QUERY.sub(self._query, url))

    def _query(self, found: re.Match[str]) -> str:
        secret = is_secret(found[2], found[3])
        return f"{found[1]}{found[2]}={self._instead(self.name, found[2]) if secret else found[3]}"

    def _instead(self, *words: str) -> str:
        name = variable_of("_".join(word.strip("-") for word in words))
        self.notes.append(f"{self.name}: set {name} in the environment; its value stays where it was")
        return f"${{{name}}}"


def variable_of(words: str) -> str:
    """The words as the name of a variable of the environment."""
    name = re.sub(r"\W", "_", words, flags=re.ASCII).upper()
    return f"_{name}" if name[:1].isdigit() else name


def _text(text: str) -> str:
    return _HOLE.sub(_hole, text)


def _hole(found: re.Match[str]) -> str:
    kind, name, default = found[1], found[2], found[3] or ""
    if name is None:
        return "$${"
    if kind is None and name in _PLACES:
        return _PLACES[name]
    return f"${{{variable_of(name) if kind == 'input' or '-' in name else name}{default}}}"
