"""Groups and their blackboard."""

from __future__ import annotations

import pytest
import trio
from hypothesis import given
from hypothesis import strategies as st
from kernels import OpenKernel
from trio.testing import MockClock

import vega_trio as vega
from vega_trio.changes import Change, Put
from vega_trio.protocols import Commit
from vega_trio.runtime import Answer, Group, Orchestrator, Process
from vega_trio.runtime.blackboard import Blackboard
from vega_trio.store.memory import MemoryStore


async def echo(me: Process) -> None:
    async for mail in me.inbox:
        if mail.message == "crash":
            raise ValueError("as told")
        if mail.message != me.name:
            mail.reply(f"{me.name}: {mail.message}")


async def test_members_stay_over_restarts_and_leave_at_the_final_exit(orch: Orchestrator, clock: MockClock) -> None:
    heard: list[str] = []
    group = orch.group("g")
    group.on_join(lambda proc: heard.append(f"+{proc.name}"))
    group.on_leave(lambda proc: heard.append(f"-{proc.name}"))
    supervision = vega.Supervision(max_restarts=1, backoff=None)
    one, other = await orch.spawn(echo, name="one", supervision=supervision), await orch.spawn(echo, name="two")
    for proc in (one, other, one):
        group.join(proc)
    assert orch.group("g").members() == [one, other]
    await one.post("crash")
    await trio.testing.wait_all_tasks_blocked()
    assert group.has(one)
    await one.post("crash")
    await trio.testing.wait_all_tasks_blocked()
    assert group.leave(other)
    assert not group.leave(other)
    assert group.members() == []
    assert heard == ["+one", "+two", "-one", "-two"]
    with pytest.raises(vega.NoProcessError):
        group.join(one)


async def test_a_failing_hook_is_an_event(orch: Orchestrator, clock: MockClock) -> None:
    def fails(proc: Process) -> None:
        raise KeyError("hook")

    group = orch.group("g")
    group.on_join(fails)
    async with orch.subscribe([vega.HookFailed]) as events:
        group.join(await orch.spawn(echo))
        assert (await anext(events)).hook == "on_join of group 'g'"  # type: ignore[attr-defined]


async def test_a_broadcast_gathers_replies_and_errors(orch: Orchestrator, clock: MockClock) -> None:
    group = orch.group("g")
    procs = {name: await orch.spawn(echo, name=name) for name in ("one", "two", "dead")}
    for proc in procs.values():
        group.join(proc)
    answers = await group.broadcast("two", timeout=2)
    assert answers[procs["one"].id] == Answer("one: two")
    assert isinstance(answers[procs["two"].id].error, vega.CallTimeout)
    assert list(answers) == [proc.id for proc in procs.values()]
    assert trio.current_time() == 2
    assert all(isinstance(each.error, vega.ProcessExited) for each in (await group.broadcast("crash")).values())
    assert await group.broadcast("anyone?") == {}


async def test_the_blackboard_copies_and_counts_versions(orch: Orchestrator, clock: MockClock) -> None:
    group = orch.group("g")
    value = {"list": [1]}
    assert await group.bb_set("k", value) == 1
    value["list"].append(2)
    group.bb_get("k")["list"].append(3)
    assert group.bb_get("k") == {"list": [1]}
    assert await group.bb_set("k", 2, expect=1) == 2
    for expect in (0, 1, 3):
        with pytest.raises(vega.BlackboardConflict):
            await group.bb_set("k", 3, expect=expect)
    assert await group.bb_set("new", None, expect=0) == 1
    assert (group.bb_keys(), group.bb_snapshot()) == (["k", "new"], {"k": 2, "new": None})
    assert await group.bb_delete("k")
    assert not await group.bb_delete("k")
    assert group.bb_get("k", "gone") == "gone"
    with pytest.raises(vega.BlackboardConflict):
        await group.bb_set("k", 4, expect=2)
    assert await group.bb_set("k", 4, expect=0) == 3
    with pytest.raises(ValueError, match="JSON"):
        await group.bb_set("k", object())
    assert group.bb_get("k") == 4


async def test_the_blackboard_is_there_when_the_store_is_opened_again(kernels: OpenKernel, clock: MockClock) -> None:
    store = MemoryStore()
    async with kernels(store=store) as orch:
        group = orch.group("g")
        for key, value in {"a": {"n": [1, None]}, "b": 2, "gone": 3}.items():
            await group.bb_set(key, value)
        await group.bb_set("a", "anew")
        await group.bb_delete("gone")
        await orch.group("other").bb_set("a", True)
    async with kernels(store=store) as orch:
        group = orch.group("g")
        assert group.bb_snapshot() == {"a": "anew", "b": 2}
        assert (group.bb_version("a"), group.bb_version("gone")) == (2, 0)
        assert await group.bb_set("gone", 4, expect=0) == 2  # what it once expected is not taken for this one
        assert orch.group("other").bb_snapshot() == {"a": True}


async def test_a_write_that_is_not_stored_is_undone(kernels: OpenKernel, clock: MockClock) -> None:
    class FullCommit:
        done, error, event_ids = True, vega.StoreError("disk full"), ()

        async def wait(self) -> None:
            await trio.lowlevel.checkpoint()
            raise self.error

    class FullStore(MemoryStore):
        full = False

        def submit(self, change: Change) -> Commit:
            return FullCommit() if self.full and isinstance(change, Put) else super().submit(change)  # type: ignore[return-value]

    store = FullStore()
    async with kernels(store=store) as orch:
        group = orch.group("g")
        await group.bb_set("k", 1)
        store.full = True
        for key in ("k", "new"):
            with pytest.raises(vega.StoreError, match="disk full"):
                await group.bb_set(key, 2)
        assert group.bb_snapshot() == {"k": 1}
        assert group.bb_version("k") == 1


json_values = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**53), 2**53) | st.text(alphabet=st.characters(codec="utf-8")),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(alphabet="abc"), inner, max_size=3),
    max_leaves=8,
)


@given(st.lists(st.tuples(st.sampled_from("ab"), json_values | st.just(...)), max_size=12))
def test_the_blackboard_is_a_dictionary_of_json_values(steps: list[tuple[str, object]]) -> None:
    async def main() -> None:
        group, model = Group("g", Blackboard("g", MemoryStore())), {}
        for key, value in steps:
            if value is ...:
                assert await group.bb_delete(key) is (model.pop(key, ...) is not ...)
            else:
                before = group.bb_version(key)
                assert await group.bb_set(key, value, expect=before) > before
                model[key] = value
            assert group.bb_snapshot() == model

    trio.run(main)
