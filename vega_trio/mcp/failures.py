"""What can go wrong with a server, in this package's own words: the errors of a call are told to the model."""

from __future__ import annotations

from collections.abc import Iterator

from vega_trio.errors import McpError, McpLost, McpTimeout, McpUnavailable

__all__ = ["McpError", "McpLost", "McpTimeout", "McpUnavailable", "first_cause", "leaves"]


def leaves(error: BaseException) -> Iterator[BaseException]:
    """The errors that a group of groups holds, or the error itself."""
    if isinstance(error, BaseExceptionGroup):
        for each in error.exceptions:
            yield from leaves(each)
    else:
        yield error


def first_cause(error: BaseException) -> str:
    """What happened, in one line: of a group the first error that says anything."""
    for each in leaves(error):
        text = " ".join(str(each).split())
        if text:
            return text[:500]
    return type(next(leaves(error))).__name__
