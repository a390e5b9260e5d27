"""A tool call: arguments checked and structured, the function run within its limits, the result as text."""

from __future__ import annotations

import contextvars
import threading
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import date
from enum import Enum
from typing import Any, Literal, NotRequired, TypedDict

import attrs
import pytest
import trio
from hypothesis import given, settings
from hypothesis import strategies as st

from vega_trio._core.capping import OUTPUT_LIMIT, cap
from vega_trio.context import ToolContext
from vega_trio.errors import ProcessExit, ToolError, ToolRetry
from vega_trio.protocols import Tool
from vega_trio.tools.arguments import Structurer, compile_check
from vega_trio.tools.output import as_text
from vega_trio.tools.schema import type_schema
from vega_trio.tools.threads import Threads
from vega_trio.tools.toolbox import as_tool, tool

Call = Callable[..., Awaitable[str]]


class Unit(Enum):
    CELSIUS = "c"
    FAHRENHEIT = "f"


@attrs.frozen
class City:
    name: str
    population: int = attrs.field(default=0, validator=attrs.validators.ge(0))


@dataclass
class Point:
    x: float
    y: float = 0.0


class Filter(TypedDict):
    field: str
    value: NotRequired[str]


def forecast(city: str, days: int = 3) -> dict[str, Any]:
    """Tells the weather."""
    return {"city": city, "days": days}


# -- arguments


@pytest.mark.parametrize(
    ("arguments", "complaint"),
    [
        ({"city": "Rome", "days": "x"}, """argument 'days': "x" is not of type "integer\""""),
        ({}, "argument 'city' is missing"),
        ({"city": "Rome", "dayz": 1}, "unknown argument 'dayz'; did you mean 'days'?"),
        ({"city": 1, "days": "x"}, "argument 'city': .*; argument 'days': "),
        ({"city": "\ud800"}, "the arguments are not valid JSON"),
        ({"city": "x" * 1000, "days": "y" * 1000}, "argument 'days': \"yyy.*yyy\" is not of type"),
    ],
)
async def test_wrong_arguments_are_told_to_the_model(call: Call, arguments: dict[str, Any], complaint: str) -> None:
    with trio.fail_after(30), pytest.raises(ToolRetry, match=complaint) as caught:
        await call(as_tool(forecast), **arguments)
    assert len(str(caught.value)) < 700


async def test_defaults_apply_and_five_point_zero_is_five(call: Call) -> None:
    with trio.fail_after(30):
        assert await call(as_tool(forecast), city="Rome") == '{"city":"Rome","days":3}'
        assert await call(as_tool(forecast), city="Rome", days=5.0) == '{"city":"Rome","days":5}'


async def test_arguments_arrive_as_the_types_of_the_hints(call: Call) -> None:
    seen: list[Any] = []

    async def use(
        city: City,
        unit: Unit,
        at: date,
        where: Point,
        pair: tuple[int, str],
        by: Filter,
        mode: Literal["a", "b"],
        near: list[str] | str,
        other: City | Point | None = None,
    ) -> None:
        seen.extend([city, unit, at, where, pair, by, mode, near, other])

    with trio.fail_after(5):
        await call(
            as_tool(use),
            city={"name": "Rome"},
            unit="f",
            at="2026-01-31",
            where={"x": 1},
            pair=[1, "a"],
            by={"field": "f"},
            mode="b",
            near="Ostia",
            other={"x": 2.5, "y": 1},
        )
    assert seen == [
        City("Rome"),
        Unit.FAHRENHEIT,
        date(2026, 1, 31),
        Point(1.0),
        (1, "a"),
        {"field": "f"},
        "b",
        "Ostia",
        Point(2.5, 1.0),
    ]
    assert type(seen[3].x) is float


@pytest.mark.parametrize(
    ("arguments", "complaint"),
    [
        ({"city": {"name": "Rome", "population": -1}}, "argument 'city': 'population' must be >= 0"),
        ({"city": {"name": "Rome", "mayor": "x"}}, "argument 'city': Additional properties are not allowed"),
        ({"city": {"population": 1}}, "argument 'city.name' is missing"),
        ({"city": {"name": "Rome"}, "at": "tomorrow"}, "argument 'at': Invalid isoformat string: 'tomorrow'"),
    ],
)
async def test_what_a_class_refuses_is_told_to_the_model(call: Call, arguments: dict[str, Any], complaint: str) -> None:
    async def use(city: City, at: date | None = None) -> None: ...

    with trio.fail_after(5), pytest.raises(ToolRetry, match=complaint):
        await call(as_tool(use), **arguments)


def test_a_schema_with_a_lookaround_or_a_remote_reference_is_refused() -> None:
    with pytest.raises(ValueError, match="regex"):
        compile_check({"properties": {"x": {"pattern": "(?=a)b"}}})
    with pytest.raises(ValueError, match="may not refer to another document"):
        compile_check({"properties": {"x": {"$ref": "http://127.0.0.1:9/schema"}}})


def test_a_hostile_pattern_is_matched_in_linear_time() -> None:
    check = compile_check({"properties": {"x": {"type": "string", "pattern": "^(a+)+$"}}})
    with pytest.raises(ToolRetry, match=r"argument 'x': .* does not match"):
        check({"x": "a" * 50_000 + "!"})


JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**53), 2**53) | st.floats(-1e9, 1e9) | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner, max_size=3),
    max_leaves=5,
)


@given(JSON)
@settings(max_examples=60, deadline=None)
def test_whatever_the_schema_allows_can_be_structured(value: Any) -> None:
    hints: dict[str, Any] = {"x": int | float | str | bool | None | list[int] | dict[str, bool] | Unit | Point}
    try:
        compile_check({"properties": {"x": type_schema(hints["x"])}, "required": ["x"]})({"x": value})
    except ToolRetry:
        return
    structured = Structurer(hints).structure({"x": value})["x"]
    assert structured == value or isinstance(structured, Unit | Point)
    assert isinstance(structured, bool) == isinstance(value, bool)


# -- running


async def test_the_context_is_injected_as_the_first_argument(call: Call, context: ToolContext) -> None:
    async def who(ctx: ToolContext, loud: bool) -> str:
        return f"{ctx.process.agent_name} {loud} {await ctx.ask('a', 'b')}"

    with trio.fail_after(5):
        assert await call(as_tool(who), loud=True) == "tester True a: b"


async def test_a_plain_function_runs_in_a_thread_with_the_callers_context_variables(call: Call) -> None:
    variable = contextvars.ContextVar("variable", default="unset")
    variable.set("set")
    here = threading.get_ident()

    def look() -> list[Any]:
        return [variable.get(), threading.get_ident() == here]

    with trio.fail_after(5):
        assert await call(as_tool(look)) == '["set",false]'


async def test_a_plain_function_that_gives_an_awaitable_is_awaited(call: Call) -> None:
    async def inner(x: int) -> int:
        return x + 1

    def outer(x: int) -> Awaitable[int]:
        return inner(x)

    with trio.fail_after(5):
        assert await call(as_tool(outer), x=1) == "2"


@pytest.mark.parametrize("raised", [ToolError("no"), ToolRetry("again"), ProcessExit(), KeyError("x")])
async def test_what_a_function_raises_passes_through(call: Call, raised: Exception) -> None:
    def fail() -> None:
        raise raised

    async def fail_async() -> None:
        raise raised

    for function in (fail, fail_async):
        with trio.fail_after(5), pytest.raises(type(raised)) as caught:
            await call(as_tool(function))
        assert caught.value is raised


async def test_a_thread_left_behind_by_a_cancel_is_listed_until_it_ends(call: Call) -> None:
    threads, release, ended = Threads(), threading.Event(), trio.Event()
    token = trio.lowlevel.current_trio_token()

    def hang() -> None:
        release.wait()
        token.run_sync_soon(ended.set)

    with trio.fail_after(5):
        with trio.move_on_after(0.01) as scope:
            await call(as_tool(hang, threads=threads))
        assert scope.cancelled_caught
        assert [thread.tool for thread in threads.abandoned()] == ["hang"]
        release.set()
        await ended.wait()
        while threads.abandoned():  # the thread has left the function, its last two instructions are to come
            await trio.lowlevel.checkpoint()


async def test_a_call_cancelled_before_its_thread_began_is_not_run_at_all() -> None:
    threads, ran = Threads(), []
    with trio.fail_after(5), trio.CancelScope() as scope:
        scope.cancel()
        await threads.run("never", lambda: ran.append(1))
    assert scope.cancelled_caught
    assert (ran, threads.abandoned()) == ([], ())


# -- results


def test_results_become_text() -> None:
    assert as_text("plain") == "plain"
    assert as_text(None) == ""
    assert as_text({"é": [1, True, None]}) == '{"é":[1,true,null]}'
    assert as_text([City("Rome"), Point(1.0), Unit.CELSIUS]) == '[{"name":"Rome","population":0},{"x":1.0,"y":0.0},"c"]'
    with pytest.raises(TypeError, match="returned a object, which has no JSON form"):
        as_text(object())


@given(st.text(alphabet="aé€😀", min_size=1, max_size=8), st.integers(1, 80_000))
@settings(max_examples=30, deadline=None)
def test_a_cut_never_splits_a_character_and_is_always_told(piece: str, size: int) -> None:
    text = (piece * (size // len(piece) + 1))[:size]
    shown, _, told = cap(text).partition("\n[output truncated")
    assert bool(told) == (len(text.encode()) > OUTPUT_LIMIT)
    assert text.startswith(shown)
    assert len(cap(text).encode()) <= OUTPUT_LIMIT
    assert not told or len(shown.encode()) > OUTPUT_LIMIT - 520
    assert cap(cap(text)) == cap(text)


async def test_a_huge_result_is_cut_at_64_kib_with_a_note(call: Call) -> None:
    async def flood() -> str:
        return "x" * 200_000

    with trio.fail_after(5):
        text = await call(as_tool(flood))
    assert text.startswith("x" * 65_024 + "\n")
    assert text.endswith("[output truncated: cut after 65,024 of 200,000 bytes]")


# -- making tools


def test_the_decorator_keeps_the_function_callable_with_and_without_parentheses() -> None:
    @tool
    def plain(x: int) -> int:
        return x

    @tool(name="other", description="Does.", timeout=None, idempotent=True, effects=["network"])
    def dressed(x: int) -> int:
        return x

    assert plain(1) == dressed(1) == 1
    assert as_tool(plain).spec.name == "plain"
    assert as_tool(plain).spec.timeout_s == 30.0
    spec = as_tool(dressed).spec
    assert (spec.name, spec.description, spec.timeout_s, spec.idempotent) == ("other", "Does.", None, True)
    assert spec.effects == {"network"}


def test_options_that_cannot_be_are_refused() -> None:
    with pytest.raises(ValueError, match="isolation"):
        tool(isolation="thread")  # type: ignore[call-overload]
    with pytest.raises(ValueError, match="effects can be exec, network, read, write, not fly"):
        tool(effects=["fly"])
    with pytest.raises(ValueError, match="timeout must be a positive number"):
        tool(timeout=0)
    with pytest.raises(ValueError, match="tool name 'a b' must be"):
        tool(name="a b")
    with pytest.raises(ValueError, match="tool name '<lambda>' must be"):
        as_tool(lambda x: x)
    with pytest.raises(TypeError, match="not 'read_file'"):
        as_tool("read_file")


def test_a_tool_object_is_taken_as_it_is() -> None:
    made: Tool = as_tool(forecast)
    assert as_tool(made) is made
