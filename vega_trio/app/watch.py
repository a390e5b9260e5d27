"""What a program does about a store that cannot be written."""

from __future__ import annotations

import logging

from vega_trio.errors import StoreBroken, StoreError
from vega_trio.events import HealthAlert
from vega_trio.protocols import Store
from vega_trio.runtime.orchestrator import Orchestrator

log = logging.getLogger("vega_trio.store")


def watch_store(orch: Orchestrator, store: Store) -> None:
    """Says when nothing can be written, and when it can be again; a store that is broken for good ends the program.

    Work under way waits by itself, and the doors are closed (`admission.refuse_overload`).
    """

    def changed(problem: StoreError | None) -> None:
        match problem:
            case None:
                log.warning("the store can be written again")
            case StoreBroken():
                log.error("the program ends: %s", problem)
                orch.fail(problem)
            case _:
                log.error("read-only until the store can be written again: %s", problem)
                # Stored once there is room: whoever reads the log of events finds when it was.
                orch.bus.emit(HealthAlert(kind="store", message=str(problem)))

    store.on_problem(changed)
