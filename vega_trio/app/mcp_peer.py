"""What MCP servers may ask of us: an answer of the calling agent's model."""

from __future__ import annotations

from collections.abc import Sequence

import attrs

from vega_trio._core.budget import charged_to
from vega_trio.mcp.connection import Peer
from vega_trio.mcp.failures import McpError
from vega_trio.mcp.source import McpSource
from vega_trio.runtime.orchestrator import Orchestrator
from vega_trio.session import Reply


@attrs.frozen
class Answering:
    """Answers servers on behalf of whoever called them last: with that agent's model, out of its budgets."""

    orch: Orchestrator

    def peer(self, source: McpSource) -> Peer:
        async def sample(system: str, messages: Sequence[tuple[str, str]], max_tokens: int) -> str:
            return await self.sample(source, system, messages, max_tokens)

        return Peer(sample=sample)

    async def sample(
        self, source: McpSource, system: str, messages: Sequence[tuple[str, str]], max_tokens: int
    ) -> str:
        """One answer, by a process without tools that is a child of the caller's. Raises: McpError."""
        caller = source.caller
        agent = self.orch.get(caller.context.process.id).agent if caller is not None else None
        if caller is None or agent is None:
            raise McpError("no agent has called this server, so there is no model to sample")
        asked = attrs.evolve(
            agent,
            name=f"{agent.name}-sampling",
            system=system or f"You answer for the MCP server {source.name}.",
            max_tokens=max(1, min(max_tokens, agent.max_tokens)),
            tools=(),
            supervision=None,
            budget=None,
        )
        with charged_to(caller.accounts):
            return await self._answer(caller.context.spawn(asked, task=_transcript(messages)))

    async def _answer(self, spawning: object) -> str:
        process = await spawning  # type: ignore[misc]
        try:
            await process.wait()
        finally:
            process.kill()
        if isinstance(process.result, Reply):
            return process.result.text
        raise McpError(f"the model gave no answer: {process.reason}")


def _transcript(messages: Sequence[tuple[str, str]]) -> str:
    if len(messages) == 1:
        return messages[0][1]
    return "\n\n".join(f"{role}: {text}" for role, text in messages)
