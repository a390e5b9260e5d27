"""The fault drill of the demo: things go wrong at somebody's word, so that he sees what a supervisor does about it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

import attrs

from vega_trio.errors import InputError
from vega_trio.llm.demo import DemoModel
from vega_trio.llm.demo_faults import FAULTS
from vega_trio.protocols import Model
from vega_trio.runtime.orchestrator import Orchestrator

KILL: Final = "kill"
KILL_TOLD: Final = "This life of the process is ended at once, as by kill -9; its supervisor starts the next"


@attrs.define(eq=False)
class Drill:
    """Nobody can play a fault unless `allowed`, which `vega serve --demo` makes it."""

    _models: Callable[[str], Model] = attrs.field(repr=False)
    _orch: Orchestrator = attrs.field(repr=False)
    allowed: bool = False

    def faults(self) -> dict[str, str]:
        """The faults and what each does; none where there is no drill."""
        return {KILL: KILL_TOLD, **{name: fault.told for name, fault in FAULTS.items()}} if self.allowed else {}

    def arm(self, fault: str) -> None:
        """Has the demo model's next calls go wrong. Raises: InputError for a fault that is none of the model's."""
        if fault not in FAULTS:
            known = ", ".join([KILL, *FAULTS])
            raise InputError(f"there is no fault {fault[:40]!r}; there are {known}", "bad_value", "fault")
        model = self._models("demo")
        assert isinstance(model, DemoModel)
        model.arm(FAULTS[fault])

    def kill(self, process_id: str) -> bool:
        """Ends this life of a process; its supervisor decides about the next. False when it has ended.

        Raises: UnknownProcess.
        """
        process = self._orch.get(process_id)
        if not process.alive:
            return False
        process.kill()
        return True
