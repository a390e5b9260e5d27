"""The user's browser."""

from __future__ import annotations

import subprocess
import sys
from typing import Any

import trio

from vega_trio.app.application import App


async def open_in_browser(app: App, address: trio.MemoryReceiveChannel[str]) -> None:
    """Has the application open the page at the first address that comes, as `BROWSER` or else the system says.

    In a program of its own: what a browser prints, and how long it takes, is not ours. Returns at once.
    """

    async def show(_: Any) -> None:
        command = [sys.executable, "-m", "webbrowser", "-t", await address.receive()]
        await trio.run_process(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, check=False)

    await app.orch.spawn(show, name="browser")
