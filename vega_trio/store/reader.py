"""Reads, on a connection that cannot write, in a thread of their own: a long one holds up neither Trio nor a commit."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from queue import SimpleQueue
from typing import TYPE_CHECKING, Any, TypeVar

import attrs
import outcome
import trio

from vega_trio.errors import StoreError
from vega_trio.store.faults import explain
from vega_trio.store.worker import Tell, Worker

if TYPE_CHECKING:
    from sqlite_utils import Database

T = TypeVar("T")


@attrs.define(eq=False)
class Request:
    """A query to be run, and its answer once `answered`."""

    query: Callable[[Database], Any]
    answer: outcome.Outcome[Any] | None = None
    answered: trio.Event = attrs.field(factory=trio.Event)

    def refuse(self) -> None:
        self.answer = outcome.Error(StoreError("the store is closed"))
        self.answered.set()


def serve_requests(db: Database, queue: SimpleQueue[Request | None], tell: Tell) -> None:
    """Answers requests in order until the queue gives None."""
    while (request := queue.get()) is not None:
        request.answer = outcome.capture(request.query, db)
        tell(request.answered.set)


@attrs.frozen(eq=False)
class Reader:
    """The Trio side."""

    path: str
    _worker: Worker[Request]

    async def read(self, query: Callable[[Database], T]) -> T:
        """Runs the query in the reading thread; it sees what was committed when it begins.

        Cancelling leaves the query to end and its answer unread. Raises: StoreError.
        """
        request = Request(query)
        if self._worker.closed:
            request.refuse()
        else:
            self._worker.put(request)
        await request.answered.wait()
        assert request.answer is not None
        try:
            result: T = request.answer.unwrap()
        except sqlite3.Error as error:
            raise explain(error, self.path) from error
        except ValueError as error:
            raise StoreError(f"the database {self.path} holds a row that cannot be read: {error}") from error
        return result
