"""HTTP tools of a document."""

from __future__ import annotations

import random
from urllib.parse import urlsplit, urlunsplit

import attrs
import trio

from vega_trio._core.backoff import delay
from vega_trio.context import ToolContext
from vega_trio.dsl.tool import HttpImpl
from vega_trio.dsl.values import Scope
from vega_trio.errors import ToolRetry
from vega_trio.headers import IDEMPOTENCY_KEY, idempotency_value
from vega_trio.tools.exchange import Outgoing, Unreachable, Web, checked_headers, page_text
from vega_trio.tools.filling import fill_body, fill_query, fill_url, is_absent
from vega_trio.tools.http import fetch

RETRIED = frozenset({408, 425, 429, 500, 502, 503, 504})


@attrs.frozen
class HttpCall:
    """Performs the exchange that a definition describes, with its retries."""

    implementation: HttpImpl
    web: Web

    async def __call__(self, scope: Scope, context: ToolContext) -> str:
        """Raises: ToolError, also for a status of 400 and above; ExpressionError."""
        outgoing = self._outgoing(scope, context.idempotency_key)
        retry = self.implementation.retry
        for attempt in range(1, retry.attempts if retry else 1):
            assert retry is not None
            if (text := await self._tried(outgoing)) is not None:
                return text
            await trio.sleep(delay(retry.backoff, attempt, random.random()))  # noqa: S311 - spreads load, keeps no secret
        return page_text(await fetch(self.web, outgoing))

    async def _tried(self, outgoing: Outgoing) -> str | None:
        """The answer, or None where another attempt may fare better."""
        try:
            page = await fetch(self.web, outgoing)
        except Unreachable:
            return None
        return None if page.status in RETRIED else page_text(page)

    def _outgoing(self, scope: Scope, key: str) -> Outgoing:
        described = self.implementation
        headers = checked_headers(
            {name: text.render_text(scope) for name, text in described.headers.items() if not is_absent(text, scope)}
        )
        kind = next((value for name, value in headers.items() if name.lower() == "content-type"), "")
        content = None if described.body is None else fill_body(described.body, scope, kind)
        if content is not None and not kind:
            headers["Content-Type"] = "application/json"
        if key and not any(name.lower() == IDEMPOTENCY_KEY.lower() for name in headers):
            headers[IDEMPOTENCY_KEY] = idempotency_value(key)
        url, label = _address(described, scope)
        return Outgoing(method=described.method, url=url, headers=headers, content=content, label=label)


def _address(described: HttpImpl, scope: Scope) -> tuple[str, str]:
    """The address, and what the model is told of it: the rest may hold a key that is none of its business."""
    try:
        parts = urlsplit(fill_url(described.url, scope))
    except ValueError as error:
        raise ToolRetry(f"the address is not valid: {error}") from error
    query = "&".join(filter(None, (parts.query, fill_query(described.query, scope))))
    return urlunsplit(parts._replace(query=query)), f"{parts.scheme}://{parts.netloc.rpartition('@')[2]}"
