"""What a server may ask of us: roots, an answer of a model, a form that a person fills in."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, Final

import attrs
import httpx2
from mcp.client import ClientRequestContext
from mcp_types import (
    CreateMessageRequestParams,
    CreateMessageResult,
    ElicitRequestParams,
    ElicitResult,
    ErrorData,
    ListRootsResult,
    Root,
    TextContent,
)
from pydantic import FileUrl

from vega_trio.mcp.failures import McpError

_REFUSED: Final = -32600


@attrs.frozen(kw_only=True)
class Peer:
    """What a server may ask of us, as plain callables; None is a capability that we do not have.

    `sample(system, messages, max_tokens)` gives a model's answer to (role, text) pairs. `elicit(message, schema)` gives
    what a person fills in, or None when nobody does. Both raise McpError to refuse. `auth` signs requests over HTTP.
    """

    roots: Sequence[Path] = ()
    sample: Callable[[str, Sequence[tuple[str, str]], int], Awaitable[str]] | None = None
    elicit: Callable[[str, Mapping[str, Any]], Awaitable[Mapping[str, Any] | None]] | None = None
    auth: httpx2.Auth | None = None

    def callbacks(self) -> dict[str, Any]:
        """The arguments of the SDK's client that say which capabilities there are."""
        callbacks: dict[str, Any] = {}
        if self.roots:
            callbacks["list_roots_callback"] = self._list_roots
        if self.sample is not None:
            callbacks["sampling_callback"] = self._sample
        if self.elicit is not None:
            callbacks["elicitation_callback"] = self._elicit
        return callbacks

    async def _list_roots(self, _: ClientRequestContext) -> ListRootsResult:
        roots = [Root(uri=FileUrl(root.resolve().as_uri()), name=root.name) for root in self.roots]
        return ListRootsResult(roots=roots)

    async def _sample(
        self, _: ClientRequestContext, asked: CreateMessageRequestParams
    ) -> CreateMessageResult | ErrorData:
        assert self.sample is not None
        messages = []
        for each in asked.messages:
            parts = each.content if isinstance(each.content, list) else [each.content]
            if not all(isinstance(part, TextContent) for part in parts):
                return ErrorData(code=_REFUSED, message="only text can be sampled")
            messages.append((each.role, "\n".join(part.text for part in parts if isinstance(part, TextContent))))
        try:
            text = await self.sample(asked.system_prompt or "", messages, asked.max_tokens)
        except McpError as error:
            return ErrorData(code=_REFUSED, message=str(error))
        content = TextContent(type="text", text=text)
        return CreateMessageResult(role="assistant", content=content, model="vega", stop_reason="endTurn")

    async def _elicit(self, _: ClientRequestContext, asked: ElicitRequestParams) -> ElicitResult | ErrorData:
        assert self.elicit is not None
        schema = getattr(asked, "requested_schema", None)
        if not isinstance(schema, dict):
            return ElicitResult(action="decline")  # a page to open: nobody here should be sent anywhere
        try:
            given = await self.elicit(asked.message, schema)
        except McpError as error:
            return ErrorData(code=_REFUSED, message=str(error))
        if given is None:
            return ElicitResult(action="decline")
        return ElicitResult(action="accept", content={**_defaults(schema), **given})


def _defaults(schema: Mapping[str, Any]) -> dict[str, Any]:
    """What the server wants in fields that nobody filled in (SEP-1034)."""
    fields = schema.get("properties")
    known = fields if isinstance(fields, dict) else {}
    return {name: each["default"] for name, each in known.items() if isinstance(each, dict) and "default" in each}
