"""What MCP servers may ask of us: an answer of the calling agent's model, and what a person fills in."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

import attrs
import trio

from vega_trio._core.approving import fingerprint
from vega_trio._core.budget import charged_to
from vega_trio._core.wire import rfc3339
from vega_trio.app.ids import new_id
from vega_trio.checks import LONGEST_NAME
from vega_trio.context import ToolContext
from vega_trio.engine.approvals import Approval, Approvals
from vega_trio.errors import ToolRetry
from vega_trio.events import ApprovalRequested
from vega_trio.mcp.definitions import visible
from vega_trio.mcp.failures import McpError
from vega_trio.mcp.peer import Peer
from vega_trio.mcp.source import McpSource
from vega_trio.runtime.orchestrator import Orchestrator
from vega_trio.session import Reply

MAX_MESSAGE: Final = 2000  # characters of a server's question
SAMPLING: Final = "-sampling"


@attrs.frozen
class Answering:
    """Answers servers on behalf of whoever called them last: with that agent's model, out of its budgets."""

    orch: Orchestrator
    approvals: Approvals

    def peer(self, source: McpSource) -> Peer:
        async def sample(system: str, messages: Sequence[tuple[str, str]], max_tokens: int) -> str:
            return await self.sample(source, system, messages, max_tokens)

        async def elicit(message: str, schema: Mapping[str, Any]) -> Mapping[str, Any] | None:
            return await self.elicit(source, message, schema)

        return Peer(sample=sample, elicit=elicit)

    async def sample(self, source: McpSource, system: str, messages: Sequence[tuple[str, str]], max_tokens: int) -> str:
        """One answer, by a process without tools that is a child of the caller's. Raises: McpError."""
        caller = source.caller
        agent = self.orch.get(caller.context.process.id).agent if caller is not None else None
        if caller is None or agent is None:
            raise McpError("no agent has called this server, so there is no model to sample")
        asked = attrs.evolve(
            agent,
            name=f"{agent.name[: LONGEST_NAME - len(SAMPLING)]}{SAMPLING}",
            system=system or f"You answer for the MCP server {source.name}.",
            max_tokens=max(1, min(max_tokens, agent.max_tokens)),
            thinking=None,  # it would need more than a server may have asked for
            output=None,
            tools=(),
            supervision=None,
            budget=None,
        )
        with charged_to(caller.accounts), source.without_time_limit():
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

    async def elicit(self, source: McpSource, message: str, schema: Mapping[str, Any]) -> Mapping[str, Any] | None:
        """What a person fills in, as the arguments of a request for an approval; None for a no.

        Raises: McpError for what does not fit the server's schema.
        """
        if source.caller is None:
            return None
        approval = self._request(source, source.caller.context, message, schema)
        try:
            with source.without_time_limit():
                settled = await self.approvals.decided(approval)
        except trio.Cancelled:
            self.approvals.withdraw(approval)
            raise
        if settled.status != "approved":
            return None
        given = settled.arguments if settled.changed is None else settled.changed
        filled = {name: value for name, value in given.items() if value is not None}
        try:
            source.kit.compile_check({**schema, "type": "object"})(filled)
        except (ToolRetry, ValueError) as error:
            raise McpError(f"what was filled in does not fit: {error}") from error
        return filled

    def _request(self, source: McpSource, context: ToolContext, message: str, schema: Mapping[str, Any]) -> Approval:
        """Opens the request: the fields that the server wants, each with its default or null."""
        process, now, name = context.process, self.approvals.wall_clock(), f"{source.name} elicitation"
        fields = schema.get("properties")
        known = fields if isinstance(fields, dict) else {}
        arguments = {key: each.get("default") for key, each in known.items() if isinstance(each, dict)}
        approval = Approval(
            id=new_id(),
            process_id=process.id,
            agent=process.agent_name or "",
            tool_name=name,
            arguments=arguments,
            reason=f"the MCP server {source.name!r} asks: {visible(message)[:MAX_MESSAGE]}",
            created_at=now,
            expires_at=now + self.approvals.rules.timeout_s,
            bound=fingerprint(name, arguments, process.id),
            session_id=context.session.id if context.session is not None else None,
            turn_id=context.turn_id,
            tool_call_id=context.tool_call_id,
        )
        asked = ApprovalRequested(
            process_id=process.id,
            agent=process.agent_name,
            session_id=approval.session_id,
            turn_id=context.turn_id,
            approval_id=approval.id,
            tool_call_id=approval.tool_call_id,
            tool_name=name,
            arguments=arguments,
            reason=approval.reason,
            expires_at=rfc3339(approval.expires_at),
        )
        self.orch.bus.emit(asked, self.approvals.request(approval))
        return approval


def _transcript(messages: Sequence[tuple[str, str]]) -> str:
    if len(messages) == 1:
        return messages[0][1]
    return "\n\n".join(f"{role}: {text}" for role, text in messages)
