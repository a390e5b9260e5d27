"""What `vega serve --watch` does: takes up valid edits of the document while chats go on."""

from __future__ import annotations

import sys
from functools import partial
from typing import Any

import trio

from vega_trio.agent import BackoffConfig, ChildSpec, Restart, SupervisorSpec
from vega_trio.app.application import App
from vega_trio.app.config import Replaced
from vega_trio.cli.changes import report_changes
from vega_trio.cli.failure import show, usage
from vega_trio.cli.options import Shared
from vega_trio.cli.terminal import safe
from vega_trio.errors import VegaError

NAME = "watch"
START_S = 15.0


async def start_reloading(app: App, source: str | None, shared: Shared) -> None:
    """Returns once it watches. Raises: Failure where there is no file to watch; MissingExtra."""
    if source is None:
        raise usage("--watch needs a document of your own", "vega init writes one")
    spec = SupervisorSpec(dynamic=True, max_restarts=None, window=60.0, backoff=BackoffConfig(initial=1.0))
    supervisor = await app.orch.supervise(spec, name=NAME, fatal=False)
    body = partial(_body, app, source, shared)
    await supervisor.start_child(ChildSpec(NAME, body, restart=Restart.TRANSIENT, shutdown=1.0, start_timeout=START_S))


async def _body(app: App, source: str, shared: Shared, me: Any) -> None:
    async with trio.open_nursery() as nursery:
        changes = await nursery.start(report_changes, source, "vega serve --watch")
        me.ready()
        async for _ in changes:
            try:
                _tell(await app.config.reload(), shared)
            except VegaError as error:  # the document that was valid goes on
                show(error, no_color=shared.no_color)


def _tell(taken: Replaced, shared: Shared) -> None:
    if shared.quiet:
        return
    changes = (("new", taken.created), ("changed", taken.updated), ("gone", taken.deleted))
    agents = "; ".join(f"{word}: {', '.join(names)}" for word, names in changes if names) or "no agent has changed"
    later = f" (from the next start on: {', '.join(taken.restart)})" if taken.restart else ""
    sys.stderr.write(safe(f"{taken.document.file} taken up: {agents}{later}") + "\n")
    sys.stderr.flush()
