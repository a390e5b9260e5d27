"""Functions that run in processes of their own."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from enum import Enum
from pathlib import Path

import attrs
import trio

import vega_trio as vega


class Unit(Enum):
    CELSIUS = "c"


@attrs.frozen
class Place:
    name: str
    unit: Unit = Unit.CELSIUS


@vega.tool(isolation="process")
def weather(place: Place, days: int = 1) -> dict[str, object]:
    """Tells the weather."""
    print("this is no answer")
    return {"place": place.name, "unit": place.unit.value, "days": days, "pid": os.getpid()}


@vega.tool(isolation="process")
async def nap(seconds: float) -> str:
    """Sleeps."""
    await trio.sleep(seconds)
    return "rested"


@vega.tool(isolation="process")
def fail(how: str) -> str:
    """Fails in some way."""
    match how:
        case "retry":
            raise vega.ToolRetry("give another")
        case "error":
            raise vega.ToolError("cannot")
        case "value":
            raise ValueError("bad value")
        case "kill":
            os.kill(os.getpid(), signal.SIGKILL)
        case "segv":
            os.kill(os.getpid(), signal.SIGSEGV)
        case "exit":
            os._exit(0)
        case "system":
            sys.exit(3)
    return "x" * 200_000


@vega.tool(isolation="process", timeout=0.7)
def stubborn(folder: str) -> None:
    """Forks away and never ends."""
    for mode in (False, True):
        subprocess.Popen(["sleep", "62"], start_new_session=mode, stdin=subprocess.DEVNULL)
    subprocess.run(["sh", "-c", "setsid sleep 62 & exit 0"], check=True)
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    Path(folder, "up").touch()
    while True:
        time.sleep(60)


@vega.tool(isolation="process")
def litter() -> str:
    """Leaves processes behind and ends well."""
    subprocess.run(["sh", "-c", "setsid sleep 63 >/dev/null 2>&1 & exit 0"], check=True)
    return "done"
