"""Feeds the expressions with sentences of their own words: each is refused with our own error, or gives a JSON value.

    python tests/fuzz/fuzz_expr.py [-max_total_time=60] [-runs=1000000] [CORPUS]

An atheris target like `fuzz_dsl.py`; there bytes are the text, here each byte is a word, so that most sentences come
past the tokenizer. What comes out must be of the six kinds, print, and be the same a second time.
"""

from __future__ import annotations

import sys

import atheris

with atheris.instrument_imports(include=["vega_trio.dsl"]):
    from vega_trio.dsl.filters import FILTERS
    from vega_trio.dsl.template import compile_condition, compile_expression, compile_template
    from vega_trio.dsl.values import ExpressionError, FailureValue, kind, measure, plain, print_value

SCOPE = {
    "a": 1,
    "b": "text, more",
    "c": [1, 2.5, {"d": None}, "x"],
    "e": {"f": [True, False], "k-1": "7"},
    "n": None,
    "t": "9",
    "z": FailureValue("it broke", "timeout", "main/0"),
}
SIGNS = ["+", "-", "*", "/", "//", "%", "==", "!=", "<", "<=", ">", ">=", "(", ")", "[", "]", "{", "}", ",", ":", "."]
SIGNS += ["|", "'x'", '"y"', "0", "1", "2", "-1", "10", "1e3", ".5", "{{", "}}", "\\", "'", "\\{{"]
NAMES = [*SCOPE, "undefined", "d", "f", "__class__", "loop", "message", "class"]
WORDS = [*SIGNS, *NAMES, "and", "or", "not", "in", "if", "else", "true", "null", "None", *FILTERS, "end", ", ", "\n"]
KINDS = {"text", "number", "boolean", "null", "list", "mapping", "failure"}


def sentence(data: bytes) -> str:
    """A word for each byte; the high half of the bytes has no space behind it."""
    words = (WORDS[byte % 128 % len(WORDS)] + ("" if byte & 128 else " ") for byte in data)
    return "".join(words)


def check(value: object) -> None:
    assert kind(value) in KINDS, kind(value)
    measure(value)
    print_value(plain(value))


def check_refusal(error: ExpressionError) -> None:
    assert error.code[0] in "VR"
    assert 0 <= error.start <= error.end


def one(data: bytes) -> None:
    """Raises: what is a bug."""
    how, text = (data[0] if data else 0) % 4, sentence(data[1:])
    try:
        if how == 0:
            condition = compile_condition(text)
            assert condition.test(SCOPE) is condition.test(SCOPE)
        elif how == 1:
            check(compile_expression(text).evaluate(SCOPE))
        else:
            template = compile_template("{{" + text + "}}" if how == 2 else text, tool=how == 3)
            check(template.render(SCOPE))
            assert template.render_text(SCOPE) == template.render_text(SCOPE)
    except ExpressionError as error:
        check_refusal(error)


if __name__ == "__main__":
    atheris.Setup(sys.argv, one)
    atheris.Fuzz()
