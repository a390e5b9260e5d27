"""The tool with which the demo model shows an approval."""

from __future__ import annotations

from vega_trio.protocols import Tool
from vega_trio.tools.toolbox import as_tool, tool

PUBLISH = "publish_note"


def publish_tool() -> Tool:
    """Asks a person each time, and then does nothing but say so."""

    @tool(name=PUBLISH, approval="always")
    async def publish_note(text: str) -> str:
        """Publishes a note where everybody can read it.

        Args:
            text: What to publish.
        """
        return f"published (this is a demo: nothing has left your machine): {text}"

    return as_tool(publish_note)
