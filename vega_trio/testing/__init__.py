"""The testing kit: scripted and recorded models, a memory store, no network, a fake model server, a simulator."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

from vega_trio.testing.network import NetworkBlocked, block_network
from vega_trio.testing.scripted import FakeTool, ScriptedModel, ScriptedReply

if TYPE_CHECKING:
    from vega_trio.llm.recorded import RecordedModel, RecordingModel
    from vega_trio.store.memory import MemoryStore
    from vega_trio.testing.fake_messages import FakeMessagesServer, FakeReply, HttpFault, Mute
    from vega_trio.testing.nemesis import Faults, InjectedFault, Nemesis
    from vega_trio.testing.simulation import Simulation, SimulationFailed, seeds, simulate, simulate_cancellation

__all__ = [
    "FakeMessagesServer",
    "FakeReply",
    "FakeTool",
    "Faults",
    "HttpFault",
    "InjectedFault",
    "MemoryStore",
    "Mute",
    "Nemesis",
    "NetworkBlocked",
    "RecordedModel",
    "RecordingModel",
    "ScriptedModel",
    "ScriptedReply",
    "Simulation",
    "SimulationFailed",
    "block_network",
    "seeds",
    "simulate",
    "simulate_cancellation",
]

_LATER = {
    "MemoryStore": "vega_trio.store.memory",
    "FakeMessagesServer": "vega_trio.testing.fake_messages",
    "FakeReply": "vega_trio.testing.fake_messages",
    "HttpFault": "vega_trio.testing.fake_messages",
    "Mute": "vega_trio.testing.fake_messages",
    "RecordedModel": "vega_trio.llm.recorded",
    "RecordingModel": "vega_trio.llm.recorded",
    "Faults": "vega_trio.testing.nemesis",
    "InjectedFault": "vega_trio.testing.nemesis",
    "Nemesis": "vega_trio.testing.nemesis",
    "Simulation": "vega_trio.testing.simulation",
    "SimulationFailed": "vega_trio.testing.simulation",
    "seeds": "vega_trio.testing.simulation",
    "simulate": "vega_trio.testing.simulation",
    "simulate_cancellation": "vega_trio.testing.simulation",
}
"""Names whose modules load at first use: a test of an agent needs no HTTP parser."""


def __getattr__(name: str) -> Any:
    if name in _LATER:
        return getattr(import_module(_LATER[name]), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
