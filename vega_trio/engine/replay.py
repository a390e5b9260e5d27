"""What the world answered a workflow run, under the paths that asked: the record from which a crashed run goes on.

The interpreter is deterministic: with the same answers it asks the same questions in the same order. A path may ask
more than once (a badly formed reply is corrected), so an answer's key is the path and a count. In `wf_step`, beside
the rows that say how the steps stand, the row RUN/PATH=N holds the answer to the path's question N: {"reply": ..},
{"failed": ..}, {"read": ..}, {"kept": true}, {"recalled": [..]}, and for a time limit {"began": ..}, then
{"timeout": true}.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Awaitable, Callable, Iterable, Mapping
from typing import Any

import attrs

from vega_trio.changes import Put
from vega_trio.dsl.effects import AskReply, Note, StepFailed, StepTimeout
from vega_trio.protocols import Commit, Store


@attrs.define
class Record:
    """The record of one run. `resumed`: the run was begun by a program that was killed."""

    run_id: str
    store: Store
    resumed: bool = False
    _answers: dict[str, Mapping[str, Any]] = attrs.field(factory=dict)
    _told: dict[str, str] = attrs.field(factory=dict)
    _asked: Counter[str] = attrs.field(factory=Counter)

    @property
    def place(self) -> str:
        """What the answers' rows have in the field `run`, so that they are not taken for steps."""
        return f"{self.run_id}/answers"

    def load(self, answers: Iterable[Mapping[str, Any]], steps: Iterable[Mapping[str, Any]]) -> None:
        """Takes up what is recorded: answers, and how the steps stood."""
        self.resumed = True
        self._answers = {row["key"]: row["answer"] for row in answers}
        self._told = {row["path"]: row["status"] for row in steps}

    def next_key(self, path: str) -> str:
        """The key of the path's next question. Any driver of the run gives the same."""
        key = f"{self.run_id}/{path}={self._asked[path]}"
        self._asked[path] += 1
        return key

    async def once(
        self, path: str, ask: Callable[[str], Awaitable[AskReply]], *, spent: Callable[[int], None]
    ) -> AskReply:
        """The recorded reply, or what `ask(key)` replies, which is durable before the workflow sees it.

        A recorded reply is accounted with `spent`; `ask` accounts for itself. Raises: StepFailed, recorded too.
        """
        key = self.next_key(path)
        known = self._answers.get(key)
        if known is not None:
            return _replayed(known, spent)
        try:
            reply = await ask(key)
        except StepFailed as failure:
            await self._put(key, {"failed": _described(failure)}).wait()
            raise
        await self._put(key, {"reply": attrs.asdict(reply)}).wait()
        return reply

    def once_read(self, path: str, read: Callable[[], str | None]) -> str | None:
        """The recorded value, or what `read` gives; whatever comes of it is submitted later, and so durable later."""
        key = self.next_key(path)
        known = self._answers.get(key)
        if known is not None:
            value: str | None = known["read"]
            return value
        value = read()
        self._put(key, {"read": value})
        return value

    async def once_done(self, path: str, act: Callable[[], Awaitable[Mapping[str, Any]]]) -> Mapping[str, Any]:
        """The recorded answer, or what `act` gives, which is durable before the workflow sees it."""
        key = self.next_key(path)
        known = self._answers.get(key)
        if known is None:
            known = await act()
            await self._put(key, known).wait()
        return known

    def begun_at(self, key: str, now: float) -> float:
        """When the time limit of that key began, in Unix seconds: now, or in an earlier program."""
        known = self._answers.get(key)
        if known is None:
            self._put(key, {"began": now})
            return now
        began: float = known["began"]
        return began

    def timed_out(self, key: str) -> bool:
        return "timeout" in self._answers.get(key, ())

    def put_timeout(self, key: str) -> None:
        self._put(key, {"timeout": True})

    def is_told(self, note: Note) -> bool:
        """Whether the program that was killed has recorded and told this already."""
        status = self._told.get(note.path)
        return status is not None and (note.what == "started" or status != "running")

    def _put(self, key: str, answer: Mapping[str, Any]) -> Commit:
        self._answers[key] = answer
        return self.store.submit(Put("wf_step", key, {"run": self.place, "key": key, "answer": answer}))


def _described(failure: StepFailed) -> dict[str, Any]:
    if isinstance(failure, StepTimeout):
        return {"timeout_s": failure.timeout_s}
    return {"message": failure.message, "error_class": failure.error_class, "code": failure.code}


def _replayed(answer: Mapping[str, Any], spent: Callable[[int], None]) -> AskReply:
    if "failed" in answer:
        failed = answer["failed"]
        if "timeout_s" in failed:
            raise StepTimeout(failed["timeout_s"])
        raise StepFailed(failed["message"], failed["error_class"], code=failed["code"])
    reply = AskReply(**answer["reply"])
    spent(round((reply.cost_usd or 0.0) * 1_000_000))
    return reply
