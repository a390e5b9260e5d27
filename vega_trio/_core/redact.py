"""Secrets taken out of text: their values, and what these look like in base64 and in a URL, become `***`."""

from __future__ import annotations

import re
from base64 import b64encode, urlsafe_b64encode
from collections.abc import Callable, Iterable, Mapping
from typing import Final
from urllib.parse import quote, quote_plus

import attrs

SHOWN: Final = "***"
LEAST_LENGTH: Final = 8
"""A shorter value is too likely to be a word of something else."""

_SECRET_NAME: Final = re.compile(
    r"(?<!MON)KEY(?!WORD|BOARD)|TOKEN(?!I[SZ])|SECRET|PASS(?:WORD|WD|PHRASE|CODE)|CREDENTIAL|(?<![A-Z])BEARER(?![A-Z])",
    re.IGNORECASE,
)
_LAST_WORD: Final = re.compile(  # PWD alone and OLDPWD are the directory one is in
    r"(?:^|[_-])(?:(?:PG|DB|MY|SQL)?PASS|PAT|AUTH|AUTHORIZATION|COOKIES?|CREDS?|JWT)$|(?<!^OLD)[_-]PWD$", re.IGNORECASE
)
_COUNT: Final = re.compile(
    r"(?:^|[_-])(?:MAX[_-]?)?(?:MAX|MIN|NUM|N|NEW|INPUT|OUTPUT|TOTAL|PROMPT|COMPLETION|CONTEXT|THINKING|REASONING)"
    r"[_-]?TOKENS(?![A-Z])|(?<![A-Z])TOKENS?[_-]?(?:LIMIT|COUNT|BUDGET)",
    re.IGNORECASE,
)
_HUMP: Final = re.compile(r"(?<=[a-z0-9])(?=[A-Z])")
_USER: Final = re.compile(  # a password may hold what ends a host: then what follows the colon is no port
    r"(?<=://)([^/?#\s]*|(?!\[)[^/?#:\s]{0,200}:(?!\d*(?:[/?#\s]|$))\S{0,500})@"
)
_QUERY: Final = re.compile(r"([?&#])([^=&#?\s]{1,100})=([^&#\s]+)")


@attrs.define(eq=False)
class Redactor:
    """Called with a text, it gives the text without the secrets that it knows."""

    knows_any: bool = attrs.field(default=False, init=False)
    _known: set[str] = attrs.field(factory=set, init=False, repr=False)
    _pattern: re.Pattern[str] | None = attrs.field(default=None, init=False, repr=False)

    def __call__(self, text: str) -> str:
        return text if self._pattern is None else self._pattern.sub(SHOWN, text)

    def learn(self, secrets: Iterable[str]) -> None:
        """Knows these values too; those shorter than eight characters are passed over."""
        new = {each for each in secrets if len(each) >= LEAST_LENGTH} - self._known
        if new:
            self._known |= new
            forms = {form for each in self._known for form in _forms(each)}
            self.knows_any = True
            self._pattern = re.compile("|".join(map(re.escape, sorted(forms, key=len, reverse=True))))


def redactor(secrets: Iterable[str]) -> Redactor:
    """One that knows these values."""
    made = Redactor()
    made.learn(secrets)
    return made


def is_secret_name(name: str) -> bool:
    """Whether what has this name is a secret: a variable, a flag, a header, a key."""
    name = name.strip("-_")
    if _LAST_WORD.search(_HUMP.sub("_", name)) is not None:
        return True
    return _SECRET_NAME.search(_COUNT.sub("", name)) is not None


def shown_url(url: str, mark: str = "") -> str:
    """The address without user name, password, query and fragment, where keys are put; `mark` stands for them."""
    begun, separator, rest = url.partition("://")
    kept, *more = re.split(r"[?#]", _without_users(separator + rest, mark)[len(separator) :], maxsplit=1)
    return begun + separator + kept + (f"?{mark}" if mark and more else "") if separator else url


def users_of(text: str) -> list[str]:
    """What may be a secret before the hosts of the addresses in a text: `name:password`, or a name alone over HTTP.

    The name alone of another scheme is none, as in `ssh://git@host`.
    """
    return [
        found[1]
        for found in _USER.finditer(text)
        if found[1].partition(":")[2] or (found[1] and text.endswith(("http://", "https://"), 0, found.start()))
    ]


def in_queries(text: str, instead: Callable[[str, str], str]) -> str:
    """The text with `instead(key, value)` for the values of `?key=value` whose keys say that they are secrets."""

    def replaced(found: re.Match[str]) -> str:
        return f"{found[1]}{found[2]}={instead(found[2], found[3]) if is_secret_name(found[2]) else found[3]}"

    return _QUERY.sub(replaced, text)


def masked_addresses(text: str) -> str:
    """Any text; of the addresses in it user name and password, and secrets in a query, become `***`."""
    return in_queries(_without_users(text, SHOWN), lambda key, value: SHOWN)


def secrets_of(env: Mapping[str, str]) -> list[str]:
    """The values of variables that are secret by their names."""
    return [value.strip() for name, value in env.items() if is_secret_name(name)]


def _without_users(text: str, mark: str) -> str:
    return _USER.sub(lambda found: f"{mark}@" if mark else "", text)


def _forms(secret: str) -> set[str]:
    """Base64 has three ways to begin in the middle of other bytes; what is the same whatever stands beside is kept."""
    data = secret.encode("utf-8", "surrogateescape")
    encoded = set()
    for encode in (b64encode, urlsafe_b64encode):
        for lead in range(3):
            text = encode(bytes(lead) + data).decode("ascii").rstrip("=")
            encoded.add(text[(lead * 8 + 5) // 6 : len(text) - 1])
    plain = {secret, quote(secret, safe=""), quote(secret), quote_plus(secret)}
    return plain | {each for each in encoded if len(each) >= LEAST_LENGTH}
