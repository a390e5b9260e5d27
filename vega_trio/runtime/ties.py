"""Links and monitors: who hears of whose end. Those among agents are in the store, and outlive the program.

They belong to incarnations: a crash of a process undoes its own. A crash of the program is no exit: when both ends
have been taken up they are tied as before. A monitor that was left behind has nobody waiting at its queue; the
watcher finds it, with what came meanwhile, when it monitors the same process again.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import attrs
import trio

from vega_trio.changes import Change, Link, Sever, Unlink
from vega_trio.errors import NoProcessError
from vega_trio.exits import Down, Killed
from vega_trio.runtime.signals import deliver_no_process, signal

if TYPE_CHECKING:
    from vega_trio.runtime.incarnation import Incarnation
    from vega_trio.runtime.kernel import Kernel
    from vega_trio.runtime.process import Process


@attrs.define(eq=False)
class Monitor:
    """A private queue for one Down. `watcher` is None when who watches is no process."""

    watcher: Process | None
    send: trio.MemorySendChannel[Down]
    receive: trio.MemoryReceiveChannel[Down]

    def tell(self, down: Down) -> None:
        """The one message; then the queue ends."""
        self.send.send_nowait(down)
        self.send.close()


def link(one: Incarnation, process: Process) -> None:
    """Ties two living incarnations; each hears of the other's exit. Raises: NoProcessError, as `Process.link`."""
    kernel, other = one.process.kernel, process.live
    if other is not None:
        if kernel.links.link(one, other):
            keep(one.process, process, Link(one.process.id, process.id))
    elif one.trapping:
        deliver_no_process(one, process)
    else:
        raise NoProcessError(f"process {process.id} ({process.label}) is not running; there is nothing to link to")


def unlink(one: Incarnation, other: Incarnation) -> None:
    one.process.kernel.links.unlink(one, other)
    keep(one.process, other.process, Unlink(one.process.id, other.process.id))


def sever(incarnation: Incarnation) -> tuple[Change, ...]:
    """What is to be written, with its exit, of an agent's ties; they are undone in the same step."""
    process = incarnation.process
    left = process.kernel.recovered.sever(process.id)
    return (Sever(process.id),) if left or incarnation.monitors or process.kernel.links.of(incarnation) else ()


def restore(process: Process) -> None:
    """Ties the first incarnation of a recovered process to those that have been taken up before it."""
    kernel, me = process.kernel, process.live
    if not kernel.recovered.comes_back(process.id):
        return
    for other_id in kernel.recovered.linked_to(process.id):
        other = kernel.registry.find(other_id)
        if me is not None and other is not None and other.live is not None:
            kernel.links.link(me, other.live)
    for watcher_id, watched_id in kernel.recovered.watching(process.id):
        watcher, watched = kernel.registry.find(watcher_id), kernel.registry.find(watched_id)
        if watcher is not None and watched is not None and watched.live is not None:
            monitor = kernel.recovered.monitors[watcher_id, watched_id] = new_monitor(watcher)
            watched.live.add_monitor(monitor)


def tell_of_loss(kernel: Kernel, process_id: str, agent: str, incarnation: int) -> None:
    """A process that was left behind is given up: those tied to it hear of it as of a kill."""
    for peer_id in kernel.recovered.linked_to(process_id):
        peer = kernel.registry.find(peer_id)
        if peer is not None and peer.live is not None:
            signal(peer.live, Killed(), None, linked=True)
    for watcher_id, watched_id in kernel.recovered.watching(process_id):
        watcher = kernel.registry.find(watcher_id)
        if watcher is not None and watched_id == process_id:
            monitor = kernel.recovered.monitors[watcher_id, process_id] = new_monitor(watcher)
            monitor.tell(Down(process_id, agent, incarnation, Killed(), trio.current_time()))
    kernel.recovered.sever(process_id)


def new_monitor(watcher: Process | None) -> Monitor:
    return Monitor(watcher, *trio.open_memory_channel[Down](math.inf))


def keep(one: Process, other: Process, change: Change) -> None:
    """Writes a tie down if it is one among agents."""
    if one.agent is not None and other.agent is not None:
        one.kernel.store.submit(change)
