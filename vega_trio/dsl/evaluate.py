"""Compiles the tree of an expression to closures. Once at load; running one is a few Python calls.

Each closure takes an `Evaluation` and gives a value. A name, or a member of one, that is not set makes a closure
raise R001; where the language forgives that (`default`, and what is only asked whether it is true) the lenient
closure is used, which gives UNDEFINED instead.
"""

from __future__ import annotations

from collections.abc import Callable

import attrs

from vega_trio.dsl import nodes as n
from vega_trio.dsl.filters import FILTERS
from vega_trio.dsl.operators import arithmetic, compare, contains
from vega_trio.dsl.values import (
    MAX_VISITS,
    UNDEFINED,
    ExpressionError,
    FailureValue,
    Missing,
    Scope,
    check_list,
    check_text,
    is_number,
    kind,
    limit,
    measure,
    operand,
    print_value,
    truth,
)
from vega_trio.suggest import remedy


@attrs.define
class Evaluation:
    """One run of a template or condition: its variables, and what it has walked so far."""

    scope: Scope
    visits: int = 0

    def charge(self, value: object) -> None:
        """Counts the parts of a list or mapping that is about to be walked. Raises: ExpressionError R007."""
        if isinstance(value, list | dict):
            self.visits += measure(value)
            if self.visits > MAX_VISITS:
                raise limit(f"an expression walks more than {MAX_VISITS:,} values")


Closure = Callable[[Evaluation], object]


def compile_node(node: n.Node) -> Closure:
    """A closure that fails on what is undefined."""
    match node:
        case n.Literal(value):
            return lambda _: value
        case n.Name() | n.Member():
            return _defined(node, compile_lenient(node))
        case n.FilterNode():
            return _filter(node)
        case n.Unary("not"):
            test = compile_test(node.operand)
            return lambda env: not test(env)
        case n.Unary():
            return _placed(node, _negative(compile_node(node.operand)))
        case n.Binary():
            return _placed(node, _binary(node))
        case n.Logic():
            return _logic(node)
        case n.Choice():
            return _choice(node)
        case n.ListNode():
            items = tuple(map(compile_node, node.items))
            return lambda env: [item(env) for item in items]
        case n.MapNode():
            entries = tuple((compile_node(key), compile_node(value)) for key, value in node.entries)
            return lambda env: {print_value(key(env)): value(env) for key, value in entries}
        case n.Text():
            return _text(tuple(map(compile_node, node.parts)))


def compile_lenient(node: n.Node) -> Closure:
    """A closure that gives UNDEFINED for a name, member or filtered name that is not set."""
    match node:
        case n.Name(name):
            return lambda env: env.scope.get(name, UNDEFINED)
        case n.Member():
            return _placed(node, _member(compile_lenient(node.base), compile_node(node.key)))
        case n.FilterNode():
            return _filter(node, lenient=True)
        case _:
            return compile_node(node)


def compile_test(node: n.Node) -> Callable[[Evaluation], bool]:
    """Whether the value counts as true; what is undefined does not."""
    if isinstance(node, n.Logic):
        left, right = compile_test(node.left), compile_test(node.right)
        if node.sign == "and":
            return lambda env: left(env) and right(env)
        return lambda env: left(env) or right(env)
    run = compile_lenient(node) if isinstance(node, n.Name | n.Member) else compile_node(node)
    return lambda env: truth(run(env))


def _placed(node: n.Node, run: Closure) -> Closure:
    """Gives a failure the place of the node."""

    def placed(env: Evaluation) -> object:
        try:
            return run(env)
        except ExpressionError as error:
            if error.end == 0:
                error.start, error.end = node.start, node.end
            raise

    return placed


# -- names and members


def _defined(node: n.Node, run: Closure) -> Closure:
    def defined(env: Evaluation) -> object:
        value = run(env)
        if value is UNDEFINED:
            raise _undefined(node, env.scope)
        return value

    return defined


def _undefined(node: n.Node, scope: Scope) -> ExpressionError:
    if isinstance(node, n.Member):
        path = written(node)
        hint = f"give it a value with the filter 'default': {path} | default:..."
        return ExpressionError("R001", f"'{path}' is not defined", node.start, node.end, hint)
    name = node.name if isinstance(node, n.Name) else ""
    hint = remedy(name, list(scope), "the variables are")
    return ExpressionError("R001", f"'{name}' is not defined", node.start, node.end, hint)


def written(node: n.Node) -> str:
    """A name with its members, as one writes it."""
    match node:
        case n.Name(name):
            return name
        case n.Member(base, n.Literal(key)):
            return f"{written(base)}.{key}"
        case n.Member(base):
            return f"{written(base)}[...]"
        case _:
            return "(...)"


def _member(base: Closure, key: Closure) -> Closure:
    def member(env: Evaluation) -> object:
        return _lookup(base(env), key(env))

    return member


def _lookup(value: object, key: object) -> object:
    match value:
        case Missing() | None:
            return UNDEFINED
        case dict():
            return value.get(key if isinstance(key, str) else print_value(key), UNDEFINED)
        case FailureValue():
            return value.field(print_value(key))
        case list() | str() if is_number(key) and key == int(key):  # type: ignore[call-overload]
            index = int(key)  # type: ignore[call-overload]
            return value[index] if -len(value) <= index < len(value) else UNDEFINED
        case str():
            raise operand(f"a text has no '.{print_value(key)}'", "parse an agent's reply with 'format: json'")
        case list():
            raise operand(f"a list has no '.{print_value(key)}'", "take an item by its number: list.0")
        case _:
            raise operand(f"a {kind(value)} has no '.{print_value(key)}'")


# -- operators


def _negative(run: Closure) -> Closure:
    return lambda env: arithmetic("-", 0, run(env))


def _binary(node: n.Binary) -> Closure:
    left, right, sign = compile_node(node.left), compile_node(node.right), node.sign

    def calculate(env: Evaluation) -> object:
        a, b = left(env), right(env)
        if sign == "+":
            env.charge(a)
            env.charge(b)
        return arithmetic(sign, a, b)

    def search(env: Evaluation) -> object:
        a, b = left(env), right(env)
        env.charge(a)
        env.charge(b)
        return contains(b, a) is (sign == "in")

    def order(env: Evaluation) -> object:
        a, b = left(env), right(env)
        env.charge(a)
        env.charge(b)
        return compare(sign, a, b)

    if sign in ("in", "not in"):
        return search
    return calculate if sign in "+-*//%" else order


def _logic(node: n.Logic) -> Closure:
    left, right, wants = _operand(node.left), _operand(node.right), node.sign == "or"

    def logic(env: Evaluation) -> object:
        value = left(env)
        return value if truth(value) is wants else right(env)

    return logic


def _operand(node: n.Node) -> Closure:
    """An operand of `and` or `or`: what is undefined counts as null."""
    run = compile_lenient(node) if isinstance(node, n.Name | n.Member) else compile_node(node)

    def forgiving(env: Evaluation) -> object:
        value = run(env)
        return None if value is UNDEFINED else value

    return forgiving


def _choice(node: n.Choice) -> Closure:
    test, then, otherwise = compile_test(node.test), compile_node(node.then), compile_node(node.otherwise)
    return lambda env: then(env) if test(env) else otherwise(env)


def _text(parts: tuple[Closure, ...]) -> Closure:
    return lambda env: check_text("".join([print_value(part(env)) for part in parts]))


# -- filters


def _filter(node: n.FilterNode, *, lenient: bool = False) -> Closure:
    if node.name == "default":
        return _default(node)  # before its input is compiled: it does that, in its own way
    run = compile_lenient(node.input) if lenient else compile_node(node.input)
    apply, arguments = FILTERS[node.name].run, tuple(map(compile_node, node.arguments))

    def filtered(env: Evaluation) -> object:
        value = run(env)
        if lenient and value is UNDEFINED:
            return value
        env.charge(value)
        result = apply(value, [argument(env) for argument in arguments])
        return check_list(result) if isinstance(result, list) else result

    return _placed(node, filtered)


def _default(node: n.FilterNode) -> Closure:
    run, fallback = compile_lenient(node.input), compile_node(node.arguments[0])

    def default(env: Evaluation) -> object:
        value = run(env)
        absent = value is UNDEFINED or value is None or value == "" or isinstance(value, FailureValue)
        return fallback(env) if absent else value

    return default
