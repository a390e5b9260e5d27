"""The parser of expressions: Pratt's, over a `Cursor`, giving the tree of `nodes.py`.

    a if c else b | or | and | not | == != < <= > >= in, not in | + - | * / // % | unary - | `| filter` | .name [i]

from loosest to tightest. There are no calls, and no way from a value to anything but its members.
"""

from __future__ import annotations

from collections.abc import Callable

import attrs

from vega_trio.dsl.cursor import Cursor, Token
from vega_trio.dsl.familiar import call_hint, filter_hint
from vega_trio.dsl.filters import FILTERS, Filter, read_argument
from vega_trio.dsl.nodes import (
    Binary,
    Choice,
    FilterNode,
    ListNode,
    Literal,
    Logic,
    MapNode,
    Member,
    Name,
    Node,
    Text,
    Unary,
)
from vega_trio.dsl.values import ExpressionError

MAX_LENGTH = 4096
MAX_DEPTH = 64

_CONSTANTS = {"true": True, "True": True, "false": False, "False": False, "null": None, "none": None, "None": None}
RESERVED = frozenset({*_CONSTANTS, "and", "or", "not", "in", "if", "else"})
_COMPARISON = 1
_BINDING = {"==": 1, "!=": 1, "<": 1, "<=": 1, ">": 1, ">=": 1, "in": 1, "not in": 1, "+": 2, "-": 2, "*": 3, "/": 3}
_BINDING |= {"//": 3, "%": 3}
_CLOSING = {"(": ")", "[": "]", "{": "}"}

Warn = Callable[[str, str, int, int], None]


@attrs.define
class Parser:
    """Parses one expression at the cursor. `warn(code, message, start, end)` hears W106.

    `dotted` lets a name be written `.name`, as tools do; `quoted` gives the parts of a quoted text with holes.
    """

    cursor: Cursor
    warn: Warn
    dotted: bool = False
    quoted: Callable[[str, Warn], tuple[Node, ...]] | None = None
    depth: int = 0

    def whole(self) -> Node:
        """The expression from the cursor to its end. Raises: ExpressionError V050-V054, V006."""
        start = self.cursor.skip()
        node = self.expression()
        token = self.cursor.peek()
        if token.kind != "end":
            raise self._unexpected(token)
        if self.cursor.at - start > MAX_LENGTH:
            raise self.cursor.error("V006", f"an expression is longer than {MAX_LENGTH:,} characters", start, start + 1)
        return node

    def expression(self) -> Node:
        self._enter()
        node = self._or()
        if self._word("if"):
            test = self._or()
            if not self._word("else"):
                token = self.cursor.peek()
                hint = "write: a if test else b"
                raise self.cursor.error("V050", "'if' needs an 'else'", token.start, token.end, hint)
            otherwise = self.expression()
            node = Choice(test, node, otherwise, node.start, otherwise.end, self._height(test, node, otherwise))
        self.depth -= 1
        return node

    def _enter(self) -> None:
        self.depth += 1
        if self.depth > MAX_DEPTH:
            raise self._too_deep()

    def _height(self, *below: Node) -> int:
        height = 1 + max((node.height for node in below), default=0)
        if height > MAX_DEPTH:
            raise self._too_deep()
        return height

    def _too_deep(self) -> ExpressionError:
        at = self.cursor.at
        return self.cursor.error("V006", f"an expression is deeper than {MAX_DEPTH} operators", at, at + 1)

    def _word(self, word: str) -> bool:
        token = self.cursor.peek()
        if token.kind == "name" and token.value == word:
            self.cursor.take(token)
            return True
        return False

    def _sign(self, sign: str) -> bool:
        token = self.cursor.peek()
        if token.kind == "sign" and token.value == sign:
            self.cursor.take(token)
            return True
        return False

    # -- operators

    def _or(self) -> Node:
        node = self._and()
        while self._word("or"):
            right = self._and()
            node = Logic("or", node, right, node.start, right.end, self._height(node, right))
        return node

    def _and(self) -> Node:
        node = self._not()
        while self._word("and"):
            right = self._not()
            node = Logic("and", node, right, node.start, right.end, self._height(node, right))
        return node

    def _not(self) -> Node:
        token = self.cursor.peek()
        if not self._word("not"):
            return self._binary(_COMPARISON)
        self._enter()
        operand = self._not()
        self.depth -= 1
        return Unary("not", operand, token.start, operand.end, self._height(operand))

    def _binary(self, least: int) -> Node:
        node = self._unary()
        compared = False
        while True:
            token = self.cursor.peek()
            sign = self._operator(token)
            level = _BINDING.get(sign, 0)
            if level < least:
                return node
            if level == _COMPARISON and compared:
                hint = "join them with 'and'"
                raise self.cursor.error("V050", "comparisons do not chain", token.start, token.end, hint)
            compared = compared or level == _COMPARISON
            self.cursor.take(token)
            if sign == "not in" and not self._word("in"):
                raise self.cursor.error("V050", "'not' here must be followed by 'in'", token.start, token.end)
            right = self._binary(level + 1)
            self._warn_filter(sign, level, right)
            node = Binary(sign, node, right, node.start, right.end, self._height(node, right))

    def _operator(self, token: Token) -> str:
        if token.kind == "name":
            return {"in": "in", "not": "not in"}.get(str(token.value), "")
        return str(token.value) if token.kind == "sign" else ""

    def _warn_filter(self, sign: str, level: int, right: Node) -> None:
        if level > _COMPARISON and isinstance(right, FilterNode):
            message = f"the filter '{right.name}' takes only what stands right of '{sign}'"
            self.warn("W106", message, right.start, right.end)

    def _unary(self) -> Node:
        token = self.cursor.peek()
        if token.kind != "sign" or token.value != "-":
            return self._filtered()
        self._enter()
        self.cursor.take(token)
        operand = self._unary()
        self.depth -= 1
        return Unary("-", operand, token.start, operand.end, self._height(operand))

    # -- filters

    def _filtered(self) -> Node:
        node = self._members()
        while self._sign("|"):
            node = self._filter(node)
        return node

    def _filter(self, node: Node) -> Node:
        token = self.cursor.peek()
        if token.kind != "name":
            raise self.cursor.error("V050", "a filter's name must follow '|'", token.start, token.end)
        name = str(token.value)
        filter_ = FILTERS.get(name)
        if filter_ is None:
            hint = filter_hint(name, FILTERS)
            raise self.cursor.error("V051", f"unknown filter '{name}'", token.start, token.end, hint)
        self.cursor.take(token)
        arguments = self._arguments(filter_)
        if not filter_.least <= len(arguments) <= filter_.most:
            usage = f"write: {filter_.usage}" if filter_.usage else "write it without ':'"
            message = f"the filter '{name}' takes {_count(filter_)}, not {len(arguments)}"
            raise self.cursor.error("V052", message, token.start, token.end, usage)
        height = self._height(node, *arguments)
        return FilterNode(node, name, tuple(arguments), node.start, self.cursor.at, height)

    def _arguments(self, filter_: Filter) -> list[Node]:
        found: list[Node] = []
        while self.cursor.text.startswith(":", self.cursor.at) and self.cursor.at < self.cursor.stop:
            self.cursor.at += 1
            if found and len(found) >= filter_.most:
                break
            found.append(self._argument(filter_))
        return found

    def _argument(self, filter_: Filter) -> Node:
        begin = self.cursor.at
        start = self.cursor.skip()
        if start < self.cursor.stop:
            if self.cursor.text[start] in "'\"":
                quoted = self.cursor.quoted_argument(start)
                if quoted is not None:
                    return Literal(quoted, start, self.cursor.at)
            elif self.cursor.text[start] == "(":
                return self._bracketed(self.cursor.take(self.cursor.peek()))
        # What separates a word from the next in conditions is no part of it; in a hole it may be.
        self.cursor.at = begin
        raw, at = self.cursor.raw(filter_.colons)
        value = self.cursor.exact(raw, begin) if filter_.exact else read_argument(raw)
        return Literal(value, at, self.cursor.at)

    # -- members and atoms

    def _members(self) -> Node:
        node = self._atom()
        while True:
            at = self.cursor.at
            if self._sign("."):
                key = self.cursor.member()
                name = Literal(str(key.value) if key.kind == "name" else int(str(key.value)), key.start, key.end)
                node = Member(node, name, node.start, key.end, self._height(node))
            elif self.cursor.text.startswith("[", at) and at < self.cursor.stop:
                index = self._bracketed(self.cursor.take(self.cursor.peek()))
                node = Member(node, index, node.start, self.cursor.at, self._height(node, index))
            elif isinstance(node, Name | Member) and self.cursor.text.startswith("(", at) and at < self.cursor.stop:
                raise self._refuse_call(node)
            else:
                return node

    def _refuse_call(self, node: Node) -> ExpressionError:
        name = node.name if isinstance(node, Name) else _last_name(node)
        hint = call_hint(name, FILTERS)
        return self.cursor.error("V054", "a function cannot be called here", node.start, self.cursor.at + 1, hint)

    def _bracketed(self, opening: Token) -> Node:
        """The expression in brackets whose opening one was taken; for `{{` it is a hole in a condition."""
        bracket = str(opening.value)
        self.cursor.brackets.append(bracket)
        node = self.expression()
        if bracket == "{{":
            self._close_hole(opening)
        else:
            self._close(_CLOSING[bracket], opening)
        return node

    def _close(self, closing: str, opening: Token) -> None:
        token = self.cursor.peek()
        if token.kind != "sign" or token.value != closing:
            at_end = token.kind == "end" or self.cursor.text.startswith("}}", token.start)
            if not at_end:
                raise self._unexpected(token)
            raise self.cursor.error("V050", f"'{opening.value}' is not closed", opening.start, opening.end)
        self.cursor.brackets.pop()
        self.cursor.take(token)

    def _close_hole(self, opening: Token) -> None:
        token = self.cursor.peek()
        if not self.cursor.closes_hole():
            if token.kind != "end":
                raise self._unexpected(token)
            raise self.cursor.error("V053", "'{{' is not closed", opening.start, opening.end, "end it with '}}'")
        self.cursor.brackets.pop()
        self.cursor.at += 2

    def _atom(self) -> Node:
        token = self.cursor.peek()
        match token.kind:
            case "number":
                self.cursor.take(token)
                return Literal(token.value, token.start, token.end)
            case "text":
                return self._text(self.cursor.take(token))
            case "name" if token.value in _CONSTANTS:
                self.cursor.take(token)
                return Literal(_CONSTANTS[str(token.value)], token.start, token.end)
            case "name" if token.value not in RESERVED:
                self.cursor.take(token)
                return Name(str(token.value), token.start, token.end)
            case "sign" if token.value in ("(", "{{"):
                return self._bracketed(self.cursor.take(token))
            case "sign" if token.value in ("[", "{"):
                return self._list(token) if token.value == "[" else self._map(token)
            case "sign" if token.value == "." and self.dotted:
                self.cursor.take(token)
                name = self.cursor.member()
                return Name(str(name.value), name.start, name.end)
        raise self._unexpected(token)

    def _text(self, token: Token) -> Node:
        """Quoted text; in a condition, outside holes, it may hold holes."""
        text = str(token.value)
        if self.quoted is None or "{{" not in text or "{{" in self.cursor.brackets:
            return Literal(token.value, token.start, token.end)
        try:
            nodes = self.quoted(text, self.warn)
        except ExpressionError as error:
            error.start, error.end = token.start + 1 + error.start, token.start + 1 + error.end
            raise
        return Text(nodes, token.start, token.end, self._height(*nodes))

    def _list(self, opening: Token) -> Node:
        items: list[Node] = []
        self._sequence(opening, "]", lambda: items.append(self.expression()))
        return ListNode(tuple(items), opening.start, self.cursor.at, self._height(*items))

    def _map(self, opening: Token) -> Node:
        entries: list[tuple[Node, Node]] = []
        self._sequence(opening, "}", lambda: entries.append(self._entry()))
        below = [node for entry in entries for node in entry]
        return MapNode(tuple(entries), opening.start, self.cursor.at, self._height(*below))

    def _entry(self) -> tuple[Node, Node]:
        key = self.expression()
        if not self._sign(":"):
            token = self.cursor.peek()
            message = "':' is missing after a key"
            raise self.cursor.error("V050", message, token.start, token.end, "write: {'key': value}")
        return key, self.expression()

    def _sequence(self, opening: Token, closing: str, read: Callable[[], None]) -> None:
        self.cursor.take(opening)
        self.cursor.brackets.append(str(opening.value))
        while not self._next_is(closing):
            read()
            if not self._sign(","):
                break
        self._close(closing, opening)

    def _next_is(self, sign: str) -> bool:
        token = self.cursor.peek()
        return token.kind == "sign" and token.value == sign

    def _unexpected(self, token: Token) -> ExpressionError:
        if token.kind == "end":
            at = max(token.start - 1, 0)
            return self.cursor.error("V050", "the expression ends too early", at, at + 1)
        written = self.cursor.text[token.start : token.end]
        hint = "join texts with '+', or write each in its own {{ }}" if token.kind in ("name", "text") else ""
        return self.cursor.error("V050", f"'{written}' is not expected here", token.start, token.end, hint)


def _last_name(node: Node) -> str:
    return str(node.key.value) if isinstance(node, Member) and isinstance(node.key, Literal) else ""


def _count(filter_: Filter) -> str:
    if filter_.most == 0:
        return "no argument"
    least = "" if filter_.least == filter_.most else f"{filter_.least} to "
    return f"{least}{filter_.most} argument{'' if filter_.most == 1 else 's'}"
