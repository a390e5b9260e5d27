"""run_command: one line of shell in the workspace, isolated."""

from __future__ import annotations

from functools import partial
from typing import Final

from vega_trio.errors import ToolError, ToolRetry
from vega_trio.protocols import Tool
from vega_trio.tools.files import in_thread
from vega_trio.tools.isolation import CommandsSandbox, Isolation
from vega_trio.tools.process import MAX_OUTPUT, Finished
from vega_trio.tools.sandbox import Sandbox
from vega_trio.tools.toolbox import as_tool, tool

DEFAULT_TIMEOUT_S: Final = 60.0
MAX_TIMEOUT_S: Final = 600.0


def run_command_tool(sandbox: Sandbox, mode: CommandsSandbox | None = None, *, name: str = "run_command") -> Tool:
    """`mode` "none" runs commands without isolation; otherwise they need bubblewrap and are refused without."""

    @tool(name=name, effects=["exec", "read", "write"], timeout=None)
    async def run_command(command: str, cwd: str = ".", timeout: float = DEFAULT_TIMEOUT_S) -> str:
        """Runs a line of shell in the workspace, without network, and gives what it wrote.

        Args:
            command: The line, for sh.
            cwd: The directory to run it in, relative to the workspace.
            timeout: Seconds after which it is stopped, at most 600.
        """
        if not 0 < timeout <= MAX_TIMEOUT_S:
            raise ToolRetry(f"'timeout' must be more than 0 and at most {MAX_TIMEOUT_S:g} seconds")
        if "\0" in command:
            raise ToolRetry("'command' may not hold a NUL character")
        directory = await in_thread(partial(sandbox.directory, cwd))
        isolation = Isolation(workspace=directory.root, mode=mode)
        finished = await isolation.run(["/bin/sh", "-c", command], timeout_s=timeout, cwd=directory.path)
        return command_text(finished, timeout)

    return as_tool(run_command)


def command_text(finished: Finished, timeout_s: float) -> str:
    """What the command wrote. Raises: ToolError, with the same, when it failed or was stopped."""
    text = finished.text()
    if finished.flooded:
        raise ToolError(f"the command wrote more than {MAX_OUTPUT:,} bytes and was stopped\n{text}")
    if finished.status == 0:
        return text
    raise ToolError(f"{_ending(finished.status, timeout_s)}\n{text}".rstrip())


def _ending(status: int | None, timeout_s: float) -> str:
    if status is None:
        return f"the command took longer than {timeout_s:g} s and was stopped"
    if status < 0 or status > 128:  # a shell says 128 + n for a child that a signal ended
        return f"the command was ended by signal {abs(status) % 128}"
    return f"the command failed with exit status {status}"
