"""Faults that the demo model can be told to play, so that people see what is done about them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Final

import attrs

from vega_trio.errors import ModelError
from vega_trio.llm.demo_turn import DemoCrash
from vega_trio.session import ErrorClass


@attrs.frozen(kw_only=True)
class DemoFault:
    """What goes wrong with the next `calls` calls: after `pieces` words `error` is raised; `pace` is a factor."""

    told: str
    error: Callable[[], Exception] | None = None
    pieces: int = 0
    calls: int = 1
    pace: float = 1.0


def _overloaded() -> Exception:
    return ModelError("the fault drill: the model is overloaded", ErrorClass.OVERLOADED)


def _cut() -> Exception:
    return ModelError("the fault drill: the connection to the model broke", ErrorClass.TEMPORARY)


def _crash() -> Exception:
    return DemoCrash("the fault drill")


FAULTS: Final[Mapping[str, DemoFault]] = MappingProxyType(
    {
        "crash": DemoFault(
            told="The process crashes in the middle of its next answer; its supervisor starts it again and the answer "
            "is completed",
            error=_crash,
            pieces=12,
        ),
        "refuse": DemoFault(
            told="The model refuses the next two calls as overloaded; the turn waits and tries again",
            error=_overloaded,
            calls=2,
        ),
        "cut": DemoFault(
            told="The connection to the model breaks in the middle of the next answer, which starts over",
            error=_cut,
            pieces=12,
        ),
        "slow": DemoFault(told="The next answer comes at an eighth of the speed; stop it if you like", pace=1 / 8),
    }
)
