"""The journal of calls in memory: each process's, in order of `seq`, each key once."""

from __future__ import annotations

from functools import partial

import attrs

from vega_trio._core.codec import decode_json
from vega_trio.changes import OpFinished, OpRow, Reserve
from vega_trio.errors import StoreError
from vega_trio.store import rows
from vega_trio.store.memory_ties import Undo


@attrs.define(eq=False)
class MemoryJournal:
    """The newest `keep` calls of each process. A change notes in `undo` how to take it back.

    Whether the writer owns the process is looked at before.
    """

    keep: int
    _ops: dict[str, dict[int, OpRow]] = attrs.field(factory=dict, init=False)
    _keys: dict[str, tuple[str, int]] = attrs.field(factory=dict, init=False)

    def of(self, process_id: str, turn_id: str | None) -> list[OpRow]:
        kept = sorted(self._ops.get(process_id, {}).items())
        return [op for _, op in kept if turn_id in (None, op.turn_id)]

    def reserved(self) -> dict[str, int]:
        sums = {id_: sum(op.reserved_microusd for op in ops.values()) for id_, ops in self._ops.items()}
        return {id_: amount for id_, amount in sums.items() if amount}

    def begin(self, op: OpRow, undo: list[Undo]) -> None:
        """Raises: StoreError, ValueError."""
        request = decode_json(rows.json_object(op.request))
        ops = self._ops.setdefault(op.process_id, {})
        before = ops.get(op.seq)
        if before is not None:
            self._begin_again(op, before, undo)
            return
        if op.key in self._keys:
            raise StoreError(f"there is a call with the key {op.key} already")
        ops[op.seq] = attrs.evolve(op, request=request)
        self._keys[op.key] = (op.process_id, op.seq)
        undo.extend((lambda: ops.pop(op.seq), lambda: self._keys.pop(op.key)))
        if len(ops) > self.keep:
            oldest = ops.pop(next(iter(ops)))
            del self._keys[oldest.key]
            undo.append(partial(self._restore, oldest))

    def _begin_again(self, op: OpRow, before: OpRow, undo: list[Undo]) -> None:
        if before.key != op.key or before.state != "begun" or before.epoch > op.epoch:
            raise StoreError(f"the call {op.key} of process {op.process_id} has finished already")
        again = attrs.evolve(before, attempts=before.attempts + 1, epoch=op.epoch, begun_at=op.begun_at)
        self._replace(before, again, undo)

    def finish(self, end: OpFinished, undo: list[Undo]) -> None:
        """Raises: StoreError, ValueError."""
        before = self._under_way(end.process_id, end.seq)
        result = None if end.result is None else decode_json(rows.json_object(end.result))
        after = attrs.evolve(
            before,
            state=end.state,
            result=result,
            error_class=end.error_class,
            cost_microusd=end.cost_microusd,
            reserved_microusd=0,
            epoch=end.epoch,
            finished_at=end.at,
        )
        self._replace(before, after, undo)

    def reserve(self, change: Reserve, undo: list[Undo]) -> None:
        """Raises: StoreError."""
        before = self._under_way(change.process_id, change.seq)
        after = attrs.evolve(before, reserved_microusd=change.reserved_microusd, cost_microusd=change.cost_microusd)
        self._replace(before, after, undo)

    def lose(self, process_id: str, undo: list[Undo]) -> None:
        """What calls under way have reserved is spent."""
        for op in [each for each in self._ops.get(process_id, {}).values() if each.reserved_microusd]:
            after = attrs.evolve(op, cost_microusd=op.cost_microusd + op.reserved_microusd, reserved_microusd=0)
            self._replace(op, after, undo)

    def clear(self, process_id: str, undo: list[Undo]) -> None:
        ops = self._ops.pop(process_id, {})
        for op in ops.values():
            del self._keys[op.key]
            undo.append(partial(self._keys.__setitem__, op.key, (process_id, op.seq)))
        undo.append(lambda: self._ops.__setitem__(process_id, ops))

    def _under_way(self, process_id: str, seq: int) -> OpRow:
        op = self._ops.get(process_id, {}).get(seq)
        if op is None or op.state != "begun":
            raise StoreError(f"call {seq} of process {process_id} is not under way")
        return op

    def _replace(self, before: OpRow, after: OpRow, undo: list[Undo]) -> None:
        ops = self._ops[before.process_id]
        ops[before.seq] = after
        undo.append(partial(ops.__setitem__, before.seq, before))

    def _restore(self, op: OpRow) -> None:
        ops = self._ops[op.process_id]
        rest = dict(ops)
        ops.clear()
        ops.update({op.seq: op, **rest})
        self._keys[op.key] = (op.process_id, op.seq)
