"""Secrets taken out of text: their values, and what these look like in base64 and in a URL, become `***`."""

from __future__ import annotations

import re
from base64 import b64encode, urlsafe_b64encode
from collections.abc import Iterable, Mapping
from typing import Final
from urllib.parse import quote, quote_plus

import attrs

SHOWN: Final = "***"
LEAST_LENGTH: Final = 8
"""A shorter value is too likely to be a word of something else."""

_SECRET_NAME: Final = re.compile("KEY|TOKEN|SECRET|PASSWORD|CREDENTIAL", re.IGNORECASE)


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
    """Whether what has this name is a secret."""
    return _SECRET_NAME.search(name) is not None


def secrets_of(env: Mapping[str, str]) -> list[str]:
    """The values of variables that are secret by their names."""
    return [value.strip() for name, value in env.items() if is_secret_name(name)]


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
