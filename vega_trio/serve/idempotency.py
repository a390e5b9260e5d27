"""`Idempotency-Key`: a POST that is sent again is answered as it was the first time, and done once.

    first      the request is written down, then done in a task of its own, which a client that leaves does not end;
               its answer, stream or not, is written down whole
    again      the same request gets the answer that is kept, marked `Idempotency-Replayed`
    meanwhile  while the first is being done, and for another body under the same key, it is refused

What failed for a passing reason is not kept, so that it can be tried again. A chat whose program died in between is
sent again under the same turn id, which its process takes for the one it has.
"""

from __future__ import annotations

import base64
import hashlib
import logging
import time
from collections.abc import Awaitable, Callable, Mapping
from typing import Any

import attrs
import trio

from vega_trio.app.ids import new_id
from vega_trio.changes import Delete, Promptly, Put
from vega_trio.errors import StoreError
from vega_trio.protocols import Store
from vega_trio.serve.problems import Problem

log = logging.getLogger("vega_trio.serve")

TABLE = "request"
KEEP_S = 86400.0
TIDY_S = 3600.0
PAGE = 20  # rows that are in memory at once, each with an answer of up to MOST_BYTES
MOST_BYTES = 4 * 1024 * 1024  # of an answer that is kept
KEY_LENGTH = 255
REPLAYED = (b"idempotency-replayed", b"true")
PASSING = frozenset({408, 409, 429})  # statuses of answers that are not kept, as those from 500 on

Message = dict[str, Any]
Send = Callable[[Message], Awaitable[None]]
Run = Callable[[Send, str], Awaitable[None]]
"""Does a request; the turn that it begins, if it begins one, is to have this id."""


@attrs.frozen(kw_only=True)
class Asked:
    """A request under a key."""

    key: str
    user: str
    method: str
    path: str
    query: str
    body: bytes = attrs.field(repr=False)

    @property
    def id(self) -> str:
        return hashlib.sha256(f"{self.user}\n{self.key}".encode("utf-8", "replace")).hexdigest()

    @property
    def fingerprint(self) -> str:
        head = f"{self.method} {self.path}?{self.query}\n".encode("utf-8", "replace")
        return hashlib.sha256(head + self.body).hexdigest()

    @property
    def begins_turn(self) -> bool:
        return self.path.endswith(("/chat", "/chat/stream", "/ag-ui"))


@attrs.define(eq=False)
class _Answer:
    """The answer as it comes: the first asker reads along, and it is kept when it is whole.

    `error`: why the request could not be written down, so that it was not done.
    """

    messages: list[Message] = attrs.field(factory=list)
    size: int = 0
    over: bool = False
    error: StoreError | None = None
    _news: trio.Event = attrs.field(factory=trio.Event)

    async def take(self, message: Message) -> None:
        self.messages.append(message)
        self.size += len(message.get("body", b""))
        self.wake()
        await trio.lowlevel.checkpoint()

    def ready(self) -> int:
        """How many messages may go out: who has an answer whole may count on its being kept.

        A stream goes out as it comes, but for its end.
        """
        if self.over or not self.messages:
            return len(self.messages)
        kinds = [value for name, value in self.messages[0].get("headers", ()) if name.lower() == b"content-type"]
        live = any(value.startswith(b"text/event-stream") for value in kinds)
        return len(self.messages) - (not self.messages[-1].get("more_body", True)) if live else 0

    def wake(self) -> None:
        news, self._news = self._news, trio.Event()
        news.set()

    async def news(self) -> None:
        await self._news.wait()


@attrs.define(eq=False)
class Ledger:
    """The requests under a key. `_running` are those that this program is doing."""

    _store: Store
    _nursery: trio.Nursery
    _running: set[str] = attrs.field(factory=set, init=False)

    async def tidy(self) -> None:
        """Forgets what is too old, now and every hour, until it is cancelled."""
        while True:
            try:
                await self.forget_old()
            except StoreError as error:
                log.warning("the answers under an Idempotency-Key of more than a day ago stay: %s", error)
            await trio.sleep(TIDY_S)

    async def forget_old(self) -> None:
        """Drops what has been kept for a day. Raises: StoreError."""
        old: list[str] = []
        page = await self._store.records.newest(TABLE, limit=PAGE)
        while page:
            old += [row["id"] for row in page if row["at"] < time.time() - KEEP_S]
            page = await self._store.records.newest(TABLE, limit=PAGE, before=page[-1]["id"])
        for id_ in old:
            self._store.submit(Delete(TABLE, id_))

    async def answer(self, asked: Asked, run: Run, send: Send) -> Problem | None:
        """Answers, by `run` or from what is kept; a problem when the key cannot be used. Raises: StoreError."""
        if not 0 < len(asked.key) <= KEY_LENGTH:
            return Problem(400, "bad_key", f"Idempotency-Key has 1 to {KEY_LENGTH} characters", "use a UUID")
        if asked.id in self._running:
            return _running()
        self._running.add(asked.id)  # before anything is awaited: of two at once, one is the first
        try:
            row = await self._store.records.get(TABLE, asked.id)
        except StoreError:
            self._running.discard(asked.id)
            raise
        if row is None or row["at"] < time.time() - KEEP_S or _may_go_on(row, asked):
            turn_id = row["turn_id"] if row is not None and _may_go_on(row, asked) else new_id()
            await self._do(asked, turn_id, run, send)
            return None
        self._running.discard(asked.id)
        if row["fingerprint"] != asked.fingerprint:
            text = "this Idempotency-Key was used for another request"
            return Problem(422, "key_reused", text, "use a fresh key for each request", field="Idempotency-Key")
        if row["answer"] is None:
            return _running()
        await _replay(row["answer"], send)
        return None

    async def _do(self, asked: Asked, turn_id: str, run: Run, send: Send) -> None:
        """Raises: StoreError when it cannot be written down, and is not done."""
        row = {
            "id": asked.id,
            "user": asked.user,
            "fingerprint": asked.fingerprint,
            "turn_id": turn_id,
            "at": time.time(),
            "answer": None,
        }
        answer = _Answer()
        self._nursery.start_soon(self._finish, asked, row, run, answer)
        at = 0
        while not (answer.over and at == len(answer.messages)):
            if at < answer.ready():
                await send(answer.messages[at])
                at += 1
            else:
                await answer.news()
        if answer.error is not None:
            raise answer.error

    async def _finish(self, asked: Asked, row: Mapping[str, Any], run: Run, answer: _Answer) -> None:
        """Does it, client or no client, and keeps the answer. A store that refuses ends this and nothing else."""
        try:
            await self._store.submit(Promptly(Put(TABLE, asked.id, row))).wait()
            await run(answer.take, row["turn_id"])
            await self._keep(asked, row, answer)
        except StoreError as error:
            answer.error = error
        finally:
            self._running.discard(asked.id)
            answer.over = True
            answer.wake()

    async def _keep(self, asked: Asked, row: Mapping[str, Any], answer: _Answer) -> None:
        """What was done stays done: an answer that cannot be kept is given all the same, this once."""
        kept = _kept(answer)
        change = Delete(TABLE, asked.id) if kept is None else Put(TABLE, asked.id, {**row, "answer": kept})
        try:
            await self._store.submit(Promptly(change)).wait()
        except StoreError as error:
            log.warning("the answer under an Idempotency-Key is not kept for a second time: %s", error)


def _may_go_on(row: Mapping[str, Any], asked: Asked) -> bool:
    """Whether an earlier program began it, and doing it again does nothing twice."""
    return row["answer"] is None and row["fingerprint"] == asked.fingerprint and asked.begins_turn


def _running() -> Problem:
    text = "the request with this Idempotency-Key is still being done, or was cut short with its program"
    return Problem(409, "in_progress", text, "ask again in a moment, or use a fresh key", retry_after_s=1)


def _kept(answer: _Answer) -> dict[str, Any] | None:
    """What is written down of an answer; None when it is not to be kept."""
    if not answer.messages:
        return None
    head: Message = answer.messages[0]
    status = int(head["status"])
    if status >= 500 or status in PASSING or answer.size > MOST_BYTES:
        return None
    body = b"".join(message.get("body", b"") for message in answer.messages[1:])
    headers = [[name.decode("latin-1"), value.decode("latin-1")] for name, value in head["headers"]]
    return {"status": status, "headers": headers, "body": base64.b64encode(body).decode()}


async def _replay(kept: Mapping[str, Any], send: Send) -> None:
    own = {"x-request-id", "transfer-encoding", "date", "content-length"}
    headers = [(name.encode("latin-1"), value.encode("latin-1")) for name, value in kept["headers"] if name not in own]
    body = base64.b64decode(kept["body"])
    headers += [REPLAYED, (b"content-length", str(len(body)).encode())]
    await send({"type": "http.response.start", "status": kept["status"], "headers": headers})
    await send({"type": "http.response.body", "body": body, "more_body": False})
