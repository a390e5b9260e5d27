"""Which tool calls wait for a person's yes, and what a conversation has seen that makes them. Pure.

    always     the tool says so, or the settings name it
    mixing     a conversation that holds private data and text from strangers could be told by the one to send away the
               other; so what runs a command, or reaches an address that the model chose, asks first
    granted    what a person has approved in advance does not ask

A tool's `never` takes it out of the second rule only: what the settings name always asks.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping
from hashlib import sha256
from typing import Any, Final, Literal

import attrs

from vega_trio._core.patterns import fits
from vega_trio.messages import Message
from vega_trio.protocols import ToolSpec

PRIVATE: Final = "private"
UNTRUSTED: Final = "untrusted"
NOTHING_SEEN: Final[frozenset[str]] = frozenset()
BOTH: Final = frozenset({PRIVATE, UNTRUSTED})


@attrs.frozen(kw_only=True)
class ApprovalRules:
    """What a document and a command line say. `tools` and `granted` are names and patterns, `timeout_s` seconds."""

    tools: tuple[str, ...] = ()
    mixing: Literal["ask", "allow"] = "ask"
    timeout_s: float = 600.0
    granted: tuple[str, ...] = ()


def reason_to_ask(spec: ToolSpec, rules: ApprovalRules, seen: Callable[[], frozenset[str]]) -> str:
    """Why a call of the tool waits for a person, in words for that person; empty when it does not.

    `seen` is asked only where it matters: looking through a long conversation takes its time.
    """
    if fits(spec.name, rules.granted):
        return ""
    if spec.approval == "always":
        return f"the tool {spec.name!r} always asks"
    if fits(spec.name, rules.tools):
        return f"settings.approvals.tools holds {spec.name!r}"
    if spec.approval == "never" or rules.mixing == "allow":
        return ""
    act = ""
    if "exec" in spec.effects:
        act = "runs commands"
    elif "network" in spec.effects and spec.chooses_destination:
        act = "reaches an address that the model chose"
    if act and seen() >= BOTH:
        return f"this conversation has seen private data and text from outside, and {spec.name!r} {act}"
    return ""


def brings(spec: ToolSpec) -> frozenset[str]:
    """What a result of the tool adds to what its conversation has seen."""
    return frozenset(mark for effect, mark in (("read", PRIVATE), ("network", UNTRUSTED)) if effect in spec.effects)


def seen_in(messages: Iterable[Message], specs: Mapping[str, ToolSpec]) -> frozenset[str]:
    """What a conversation has seen through tools. Of a tool that is gone, nobody can say what it brought: all."""
    seen: set[str] = set()
    names: dict[str, str] = {}
    for message in messages:
        names |= {call.id: call.name for call in message.tool_calls}
        for result in message.tool_results:
            spec = specs.get(names.get(result.tool_call_id, ""))
            if spec is not None:
                seen |= brings(spec)
            elif not result.is_error:
                seen |= BOTH
    return frozenset(seen)


def fingerprint(tool: str, arguments: Mapping[str, Any], process_id: str) -> str:
    """What an approval is bound to: this tool, exactly these arguments, this process."""
    whole = json.dumps([tool, dict(arguments), process_id], sort_keys=True, ensure_ascii=True, default=str)
    return sha256(whole.encode()).hexdigest()


def approval_id(bound: str, key: str, attempt: int) -> str:
    """The id of the request for attempt number `attempt` of the call `key`: the same after a restart."""
    return sha256(f"{bound}\0{key}\0{attempt}".encode()).hexdigest()[:12]
