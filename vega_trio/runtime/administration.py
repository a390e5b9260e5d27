"""What the calls that administer children do. They are jobs of the supervisor's loop: one at a time, in turn."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from vega_trio.runtime.crew import Crew
    from vega_trio.runtime.place import Place
    from vega_trio.runtime.process import Process


async def start_child(crew: Crew, place: Place) -> Process | None:
    """Raises: FailedToStart; no spec is left then."""
    crew.add(place)
    crew.tree.starting(place.id)
    failure = await crew.start(place)
    if failure is not None:
        _take_back(crew, place)
        raise failure
    return _process_of(place)


def _take_back(crew: Crew, place: Place) -> None:
    """A failed start leaves no spec. One that the supervisor's end interrupted is stopped with the others."""
    interrupted = place.process is not None and place.process.live is not None
    if crew.places.get(place.id) is not place or interrupted:
        return
    crew.tree.terminate(place.id)
    place.settle()
    crew.places.pop(place.id, None)
    crew.tree.seats.pop(place.id, None)


async def restart_child(crew: Crew, place: Place) -> Process | None:
    """Raises: FailedToStart; the spec stays."""
    crew.tree.starting(place.id)
    failure = await crew.start(place)
    if failure is not None:
        raise failure
    return _process_of(place)


async def terminate_child(place: Place) -> None:
    """The spec stays, but for a temporary child."""
    process = place.process
    place.dismiss()
    if process is not None and process.live is not None:
        await process.live.gone().wait()


def delete_child(crew: Crew, place: Place) -> None:
    """Of a stopped child."""
    del crew.places[place.id]
    crew.tree.remove(place.id)


def _process_of(place: Place) -> Process | None:
    """The child's process; None when it declined to start."""
    process = place.process
    return process if process is not None and not process.declined else None
