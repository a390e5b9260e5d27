"""AG-UI (https://docs.ag-ui.com): what its clients send. The names are the protocol's."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import attrs


@attrs.frozen
class RunAgentInput:
    """Of `messages` the last counts, which is the user's: what was said before, the server knows itself. `state`,
    `tools`, `context` and `forwardedProps` are taken and not used; later versions of the protocol may bring other keys.
    """

    threadId: str
    runId: str
    messages: tuple[Mapping[str, Any], ...]
    parentRunId: str | None = None
    protocolVersion: str | None = None
    state: Any = None
    tools: Any = None
    context: Any = None
    forwardedProps: Any = None
    resume: Any = None
