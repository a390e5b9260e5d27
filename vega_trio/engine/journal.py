"""The journal of one process: each model and tool call is written down before it is made, and when it is over.

A call is named by its key: the turn, the step within it, and for a tool the call's id. A crash cannot change it, so
who is called again after one can tell that it has been called before.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any

import attrs

from vega_trio.changes import OpBegun, OpEnd, OpFinished, OpKind, OpRow, Reserve


@attrs.define
class Journal:
    """The calls of the turn at work, by key, and where the process's journal goes on. `last_summary` is the stored one.
    `_charged` is what calls under way have cost and no row says yet.

    Nothing is submitted here: `begin` and `end` give the changes, which go with the messages they belong to.
    """

    process_id: str
    epoch: int
    wall_clock: Callable[[], float]
    next_seq: int = 0
    ops: dict[str, OpRow] = attrs.field(factory=dict)
    last_summary: Mapping[str, Any] | None = None
    _charged: dict[str, int] = attrs.field(factory=dict, init=False)

    def begin(self, turn_id: str, kind: OpKind, name: str, key: str, request: Mapping[str, Any]) -> OpBegun:
        """A call is about to be made; for one that a crash cut short, again."""
        op = self.ops.get(key)
        if op is None:
            op = OpRow(
                process_id=self.process_id,
                seq=self.next_seq,
                turn_id=turn_id,
                kind=kind,
                name=name,
                key=key,
                request=request,
                epoch=self.epoch,
                begun_at=self.wall_clock(),
            )
            self.next_seq += 1
        else:
            op = attrs.evolve(op, attempts=op.attempts + 1, epoch=self.epoch, begun_at=self.wall_clock())
        self.ops[key] = op
        return OpBegun(op)

    def reserve(self, key: str, amount: int) -> Reserve:
        """An attempt of a call under way may cost so much, and what was charged before is spent."""
        cost = self.ops[key].cost_microusd + self._charged.pop(key, 0)
        op = self.ops[key] = attrs.evolve(self.ops[key], reserved_microusd=amount, cost_microusd=cost)
        return Reserve(
            process_id=self.process_id,
            seq=op.seq,
            epoch=self.epoch,
            reserved_microusd=amount,
            cost_microusd=op.cost_microusd,
        )

    def charge(self, key: str, cost: int) -> None:
        """An attempt of a call has cost so much; written down with the next reservation, or the end."""
        self._charged[key] = self._charged.get(key, 0) + cost

    def end(
        self, key: str, state: OpEnd, *, result: Mapping[str, Any] | None = None, error_class: str = ""
    ) -> OpFinished:
        """A call is over, or given up. It has cost what was charged for it."""
        now = self.wall_clock()
        self.ops[key] = op = attrs.evolve(
            self.ops[key],
            state=state,
            result=result,
            error_class=error_class,
            reserved_microusd=0,
            cost_microusd=self.ops[key].cost_microusd + self._charged.pop(key, 0),
            finished_at=now,
        )
        return OpFinished(
            process_id=self.process_id,
            seq=op.seq,
            state=state,
            epoch=self.epoch,
            at=now,
            result=result,
            error_class=error_class,
            cost_microusd=op.cost_microusd,
        )

    def cost_of(self, op: OpRow) -> int:
        """What a call has cost so far, in micro-dollars."""
        return op.cost_microusd + self._charged.get(op.key, 0)

    def attempts(self, key: str) -> int:
        """How often the call was begun."""
        return self.ops[key].attempts if key in self.ops else 0

    def summary(self, turn_id: str, name: str, result: Mapping[str, Any]) -> tuple[OpBegun, OpFinished]:
        """A summary of the conversation, written down when it is made: until then there is nothing to go on from."""
        key = f"{turn_id}/summary/{self.next_seq}"
        begun = self.begin(turn_id, "llm", name, key, {})
        self.charge(key, result["cost"] or 0)
        return begun, self.end(key, "done", result=result)

    def is_open(self, key: str) -> bool:
        return key in self.ops and self.ops[key].state == "begun"

    def of_turn(self, turn_id: str) -> list[OpRow]:
        return [op for op in self.ops.values() if op.turn_id == turn_id]

    def forget(self, turn_id: str) -> None:
        """The turn has ended; none of its calls will be made again."""
        self.ops = {key: op for key, op in self.ops.items() if op.turn_id != turn_id}

    def load(self, stored: Iterable[OpRow], turn_ids: frozenset[str]) -> None:
        """Takes up what is stored: where to go on, and the calls of turns that may still be open."""
        for op in stored:
            self.next_seq = op.seq + 1
            if op.result is not None and "summary" in op.result:
                self.last_summary = op.result
            if op.turn_id in turn_ids:
                self.ops[op.key] = op


def model_key(turn_id: str, step: int) -> str:
    return f"{turn_id}/{step}"


def tool_key(turn_id: str, step: int, call_id: str) -> str:
    return f"{turn_id}/{step}/{call_id}"
