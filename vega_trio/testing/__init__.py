"""The testing kit: a scripted model, a fake tool, the memory store, no network, and a fake Messages API server."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

from vega_trio.testing.network import NetworkBlocked, block_network
from vega_trio.testing.scripted import FakeTool, ScriptedModel, ScriptedReply

if TYPE_CHECKING:
    from vega_trio.store.memory import MemoryStore
    from vega_trio.testing.fake_messages import FakeMessagesServer, FakeReply, HttpFault, Mute

__all__ = [
    "FakeMessagesServer",
    "FakeReply",
    "FakeTool",
    "HttpFault",
    "MemoryStore",
    "Mute",
    "NetworkBlocked",
    "ScriptedModel",
    "ScriptedReply",
    "block_network",
]

_LATER = {
    "MemoryStore": "vega_trio.store.memory",
    "FakeMessagesServer": "vega_trio.testing.fake_messages",
    "FakeReply": "vega_trio.testing.fake_messages",
    "HttpFault": "vega_trio.testing.fake_messages",
    "Mute": "vega_trio.testing.fake_messages",
}
"""Names whose modules load at first use: a test of an agent needs no HTTP parser."""


def __getattr__(name: str) -> Any:
    if name in _LATER:
        return getattr(import_module(_LATER[name]), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
