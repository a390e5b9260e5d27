"""What an application does about a store that cannot be written."""

from __future__ import annotations

from collections.abc import Callable

import attrs
import pytest
import trio

import vega_trio as vega
from vega_trio.store.memory import MemoryStore
from vega_trio.testing import ScriptedModel


@attrs.define(eq=False)
class Ailing(MemoryStore):
    """One whose condition the test decides."""

    told: list[Callable[[vega.StoreError | None], None]] = attrs.field(factory=list)
    ill: vega.StoreError | None = None

    @property
    def problem(self) -> vega.StoreError | None:
        return self.ill

    def on_problem(self, callback: Callable[[vega.StoreError | None], None]) -> None:
        self.told.append(callback)

    def become(self, problem: vega.StoreError | None) -> None:
        self.ill = problem
        for callback in self.told:
            callback(problem)


async def test_a_read_only_store_closes_the_doors_until_it_can_be_written() -> None:
    store = Ailing()
    with trio.fail_after(30):
        async with vega.open_app(model=ScriptedModel(["hi"]), store=store) as app:
            session = vega.Session(app.agents()[0].agent.name)
            store.become(vega.StoreReadOnly("the disk is full"))
            with pytest.raises(vega.StoreReadOnly, match="the disk is full"):
                await app.ask(session, "hello")
            with pytest.raises(vega.StoreReadOnly):
                async with app.chat(session, "hello"):
                    pytest.fail("a message was taken")
            with pytest.raises(vega.StoreReadOnly):
                await app.run_workflow("ask", {"message": "hello"})
            with pytest.raises(vega.StoreReadOnly):
                await app.fork("anything", at=1)
            store.become(None)
            assert (await app.ask(session, "hello")).text == "hi"
            types = [event.type for event in await store.events_after(0)]
            assert types.count("alert.store") == 1


async def test_a_broken_store_ends_the_program() -> None:
    async def program(store: Ailing) -> None:
        async with vega.open_app(model=ScriptedModel([]), store=store):
            store.become(vega.StoreBroken("the database could not be synced"))
            await trio.sleep_forever()

    with trio.fail_after(5), pytest.raises(vega.StoreBroken, match="could not be synced"):
        await program(Ailing())
