"""Opens the application of a command that works on a document in this program, without a server."""

from __future__ import annotations

import sys
from collections.abc import Iterable
from contextlib import AbstractAsyncContextManager

from vega_trio.app.application import App
from vega_trio.app.open import open_app
from vega_trio.cli.config import Setup
from vega_trio.cli.documents import environment
from vega_trio.cli.log_output import Log
from vega_trio.cli.options import Shared
from vega_trio.cli.terminal import safe


def open_here(
    source: str | None,
    setup: Setup,
    log: Log,
    *,
    model: str | None,
    store: str | None,
    approve: Iterable[str] = (),
    unattended: str | None = None,
    resume: bool = True,
    meta: bool = False,
) -> AbstractAsyncContextManager[App]:
    """`open_app` with what the user's home and environment say; the log follows the document. Raises: DocumentError."""
    return open_app(
        source,
        model=model,
        store=store,
        env=environment(setup, source, model),
        home=setup.home,
        memory=setup.memory,
        approve=approve,
        unattended=unattended,
        resume=resume,
        meta=meta,
        on_document=log.follow,
    )


def tell_model(app: App, shared: Shared) -> None:
    """Says which model answers, where the user chose none."""
    if app.model_note and not shared.quiet:
        sys.stderr.write(safe(app.model_note) + "\n")
