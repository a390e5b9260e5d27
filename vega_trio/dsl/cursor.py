"""Reads the tokens of an expression from a text, one at a time, where the parser asks for them.

There is no list of tokens made in advance: what a filter's raw argument is depends on the filter, and what ends a
hole on the brackets open in it.
"""

from __future__ import annotations

import re

import attrs

from vega_trio.dsl.values import ExpressionError

_SPACE = re.compile(r"\s*")
_NAME = re.compile(r"[^\W\d]\w*")
_NUMBER = re.compile(r"(?:0|[1-9][0-9]*|0[0-9]+)(?:\.[0-9]+)?(?:[eE][-+]?[0-9]+)?")
_INDEX = re.compile(r"[0-9]+")
_SIGNS: tuple[str, ...] = ("{{", "==", "!=", "<=", ">=", "//", *"<>+-*/%|()[]{},:.")
_CURLY = dict.fromkeys("\u201c\u201d\u201e\u2018\u2019\u201a\xab\xbb", "write straight quotes: '...'")
_ESCAPES = {"n": "\n", "t": "\t", "r": "\r", "\\": "\\", "'": "'", '"': '"'}


@attrs.frozen
class Token:
    """`kind` is name, number, text, sign or end; `value` the name, number, decoded text or sign."""

    kind: str
    value: object
    start: int
    end: int


@attrs.define
class Cursor:
    """A position in `text`, and what is open around it.

    `brackets` are the open brackets, innermost last, "{{" for a hole. `holes` allows `{{` to open one (in
    conditions). Inside a hole and no other bracket, a filter's raw argument may hold spaces.
    """

    text: str
    at: int
    stop: int
    holes: bool
    brackets: list[str] = attrs.field(factory=list)

    def error(self, code: str, message: str, start: int, end: int, hint: str = "") -> ExpressionError:
        return ExpressionError(code, message, start, max(end, start + 1), hint)

    def skip(self) -> int:
        found = _SPACE.match(self.text, self.at, self.stop)
        self.at = found.end() if found else self.at
        return self.at

    def peek(self) -> Token:
        """The next token, which stays."""
        start = self.skip()
        if start >= self.stop or self.closes_hole():
            return Token("end", None, start, start)
        if found := _NAME.match(self.text, start, self.stop):
            return Token("name", found[0], start, found.end())
        if found := _NUMBER.match(self.text, start, self.stop):
            return self._number(found)
        char = self.text[start]
        if char in "'\"":
            value, end = self.quoted(start)
            return Token("text", value, start, end)
        return Token("sign", self._sign(start), start, start + len(self._sign(start)))

    def take(self, token: Token) -> Token:
        self.at = token.end
        return token

    def closes_hole(self) -> bool:
        """Whether `}}` here ends the innermost hole."""
        return bool(self.brackets) and self.brackets[-1] == "{{" and self.text.startswith("}}", self.at)

    def _number(self, found: re.Match[str]) -> Token:
        written = found[0]
        if len(written) > 300:
            raise self.error("V050", "a number is too long", found.start(), found.end())
        value: int | float = float(written) if any(mark in written for mark in ".eE") else int(written)
        if value == float("inf"):
            raise self.error("V050", f"the number {written} is too large", found.start(), found.end())
        return Token("number", value, found.start(), found.end())

    def _sign(self, start: int) -> str:
        for sign in _SIGNS:
            if sign == "{{" and not self.holes:
                continue
            if self.text.startswith(sign, start):
                return sign
        raise self.error("V050", f"'{self.text[start]}' means nothing here", start, start + 1, self._sign_hint(start))

    def _sign_hint(self, start: int) -> str:
        two = self.text[start : start + 2]
        words = {"&&": "write 'and'", "||": "write 'or'", "=": "compare with '=='", "!": "write 'not'", **_CURLY}
        return words.get(two) or words.get(self.text[start], "")

    def quoted(self, start: int) -> tuple[str, int]:
        """The text of a quotation and where it ends. Raises: ExpressionError V050."""
        pieces: list[str] = []
        quote, at = self.text[start], start + 1
        while at < self.stop:
            char = self.text[at]
            if char == quote:
                return "".join(pieces), at + 1
            if char == "\\" and self.text[at + 1 : at + 2] in _ESCAPES:
                char = _ESCAPES[self.text[at + 1]]
                at += 1
            pieces.append(char)
            at += 1
        raise self.error("V050", "a quotation is not closed", start, self.stop, f"end it with {quote}")

    def member(self) -> Token:
        """What follows a `.`: a name or an index, directly."""
        found = _NAME.match(self.text, self.at, self.stop)
        if found:
            return self.take(Token("name", found[0], self.at, found.end()))
        found = _INDEX.match(self.text, self.at, self.stop)
        if found:
            return self.take(Token("number", found[0], self.at, found.end()))
        raise self.error("V050", "a name or number must follow '.'", self.at, self.at + 1)

    # -- raw arguments of filters

    def raw(self, colons: bool) -> tuple[str, int]:
        """The raw argument that starts here, and where it ends; the cursor moves there."""
        end = self._raw_end_in_hole(colons) if self._in_bare_hole() else self._raw_end_of_word(colons)
        start, self.at = self.at, end
        return self.text[start:end], start

    def _in_bare_hole(self) -> bool:
        return bool(self.brackets) and self.brackets[-1] == "{{"

    def _raw_end_in_hole(self, colons: bool) -> int:
        at, depth = self.at, 0
        while at < self.stop:
            char = self.text[at]
            if char == "{":
                depth += 1
            elif char == "}":
                if self.text.startswith("}}", at) and depth <= 0:
                    return at
                depth -= 1
            elif char == "|" or (colons and char == ":"):
                return at
            at += 1
        return at

    def _raw_end_of_word(self, colons: bool) -> int:
        closing = "}" if self.brackets and self.brackets[-1] == "{" else ""
        at = self.at
        while at < self.stop:
            char = self.text[at]
            if char.isspace() or char in ",)]|" or char == closing or (colons and char == ":"):
                return at
            at += 1
        return at

    def ends_argument(self, at: int) -> bool:
        """Whether nothing but space stands between `at` and the end of a filter's argument."""
        found = _SPACE.match(self.text, at, self.stop)
        at = found.end() if found else at
        if at >= self.stop or self.text[at] in "|:,)]}":
            return True
        return not self._in_bare_hole()

    def quoted_argument(self, start: int) -> str | None:
        """The quotation that is a whole argument, and the cursor behind it; None when it is raw text."""
        try:
            value, end = self.quoted(start)
        except ExpressionError:
            return None  # an apostrophe in raw text
        if not self.ends_argument(end):
            return None
        self.at = end
        return value

    def exact(self, raw: str, begin: int) -> str:
        """Raw text kept with its spaces, less the one before `|` and the one that balances `{{ `."""
        after = self.text[self.at : self.at + 1]
        if raw.endswith(" ") and (after == "|" or (after == "}" and self._spaced_hole(begin))):
            raw = raw[:-1]
        return raw.replace("\\n", "\n").replace("\\t", "\t")

    def _spaced_hole(self, begin: int) -> bool:
        opened = self.text.rfind("{{", 0, begin)
        return opened >= 0 and self.text[opened + 2 : opened + 3] == " "
