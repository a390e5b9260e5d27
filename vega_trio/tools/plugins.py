"""Tools of other packages, found by their entry points:

    [project.entry-points."vega.tools"]
    weather = "weather_tools:weather"

The name is the tool's; what it points at is a function or a Tool. A package that is installed is trusted code; one
that cannot be loaded is left out and logged. No plugin takes the place of a built-in tool.
"""

from __future__ import annotations

import logging
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any, Final

from vega_trio.tools.threads import Threads
from vega_trio.tools.toolbox import as_tool

if TYPE_CHECKING:
    from importlib.metadata import EntryPoint

    from vega_trio.protocols import Tool

log = logging.getLogger("vega_trio.tools")

GROUP: Final = "vega.tools"


def plugins() -> dict[str, EntryPoint]:
    """What is installed, by name; nothing of it is loaded."""
    from importlib.metadata import entry_points  # 20 ms, which only documents and applications need

    return {each.name: each for each in entry_points(group=GROUP)}


def load_plugins(threads: Threads, taken: Iterable[str] = ()) -> list[Tool]:
    """The tools of other packages, but for those whose names are `taken`. What fails is logged."""
    names = frozenset(taken)
    found = []
    for name, entry in plugins().items():
        if name in names:
            log.warning("tool %r of %s is left out: there is a built-in tool of that name", name, entry.value)
            continue
        tool = _load(entry, threads)
        if tool is not None:
            found.append(tool)
    return found


def _load(entry: EntryPoint, threads: Threads) -> Tool | None:
    try:
        loaded: Any = entry.load()
        tool = as_tool(loaded, threads=threads)
    except Exception as error:  # noqa: BLE001 - foreign code at import time may raise anything
        log.warning("tool %r of %s is left out: %s: %s", entry.name, entry.value, type(error).__name__, error)
        return None
    if tool.spec.name != entry.name:
        log.warning("tool %r of %s is left out: it calls itself %r", entry.name, entry.value, tool.spec.name)
        return None
    return tool
