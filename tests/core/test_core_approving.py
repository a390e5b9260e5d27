"""The rules of approvals: what asks, what conversations have seen, and what a yes is bound to."""

from __future__ import annotations

from itertools import product

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vega_trio._core.approving import (
    BOTH,
    NOTHING_SEEN,
    ApprovalRules,
    approval_id,
    fingerprint,
    reason_to_ask,
    seen_in,
)
from vega_trio.messages import Message, ToolCall, ToolResult
from vega_trio.protocols import ApprovalMode, ToolSpec


def spec(
    name: str = "t", *effects: str, approval: ApprovalMode = "auto", chooses_destination: bool = False
) -> ToolSpec:
    return ToolSpec(
        name=name,
        description="",
        parameters={},
        effects=frozenset(effects),
        approval=approval,
        chooses_destination=chooses_destination,
    )


def asks(tool: ToolSpec, rules: ApprovalRules = ApprovalRules(), seen: frozenset[str] = BOTH) -> bool:  # noqa: B008
    return bool(reason_to_ask(tool, rules, lambda: seen))


@pytest.mark.parametrize("mode", ["auto", "always", "never"])
def test_what_the_settings_name_asks_whatever_the_tool_says(mode: ApprovalMode) -> None:
    assert asks(spec("fs__write", approval=mode), ApprovalRules(tools=("fs__*",)), NOTHING_SEEN)
    assert asks(spec("fs__write", approval=mode), seen=NOTHING_SEEN) is (mode == "always")


def test_what_was_granted_never_asks() -> None:
    rules = ApprovalRules(tools=("*",), granted=("run_*",))
    assert not asks(spec("run_command", "exec", approval="always"), rules)
    assert asks(spec("other"), rules)


@pytest.mark.parametrize(
    ("tool", "asked"),
    [
        (spec("a", "exec"), True),
        (spec("b", "network", chooses_destination=True), True),
        (spec("c", "network"), False),
        (spec("d", "read", "write"), False),
        (spec("e", chooses_destination=True), False),
        (spec("f", "exec", approval="never"), False),
    ],
)
def test_mixing_asks_for_commands_and_for_addresses_of_the_models_choice(tool: ToolSpec, asked: bool) -> None:
    assert asks(tool) is asked
    assert not asks(tool, ApprovalRules(mixing="allow"))
    for one in ("private", "untrusted"):
        assert not asks(tool, seen=frozenset({one}))


def test_a_conversation_is_looked_through_only_where_it_matters() -> None:
    def never() -> frozenset[str]:
        raise AssertionError

    for tool in (spec("a", "read"), spec("b", "network"), spec("c", approval="always")):
        reason_to_ask(tool, ApprovalRules(), never)


def said(name: str, *, error: bool = False) -> list[Message]:
    return [Message("assistant", ToolCall("t1", name, {})), Message("user", ToolResult("t1", "x", is_error=error))]


def test_what_was_seen_is_what_the_results_brought() -> None:
    specs = {"look": spec("look", "read"), "web": spec("web", "network"), "add": spec("add", "write")}
    assert seen_in(said("look"), specs) == {"private"}
    assert seen_in(said("web", error=True), specs) == {"untrusted"}  # an error may carry a stranger's text
    assert seen_in(said("add"), specs) == set()
    assert seen_in([*said("look"), *said("web")], specs) == BOTH
    assert seen_in(said("gone"), specs) == BOTH
    assert seen_in(said("never_was", error=True), specs) == set()


json = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=6,
)
arguments = st.dictionaries(st.text(max_size=5), json, max_size=3)


@given(arguments, arguments)
def test_a_yes_is_bound_to_tool_arguments_and_process(one: dict[str, object], other: dict[str, object]) -> None:
    same = repr(one) == repr(other)
    assert fingerprint("t", one, "p") == fingerprint("t", dict(reversed(one.items())), "p")
    if not same and one != other:
        assert fingerprint("t", one, "p") != fingerprint("t", other, "p")


def test_every_attempt_of_every_call_has_an_id_of_its_own() -> None:
    bounds = [fingerprint(tool, {"x": x}, process) for tool, x, process in product("ab", [1, "1", True], "pq")]
    ids = {approval_id(bound, key, attempt) for bound, key, attempt in product(bounds, ["t/0/1", "t/0/2"], [1, 2])}
    assert len(ids) == len(bounds) * 4
