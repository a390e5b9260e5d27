"""Many processes over one budget, with failures and retries: the limit holds."""

from __future__ import annotations

from contextlib import suppress

import trio
from hypothesis import given, settings
from hypothesis import strategies as st
from trio.testing import MockClock

import vega_trio as vega
from vega_trio.testing import ScriptedModel
from vega_trio.testing.scripted import ScriptedReply

CUT = vega.ModelError("cut", vega.ErrorClass.TEMPORARY)
DOLLAR = 1_000_000


class Billing:
    """A model that bills what it does, fails now and then, and keeps its own ledger."""

    def __init__(self, fates: list[int]) -> None:
        self.fates, self.calls, self.billed = fates, 0, 0
        self.model = ScriptedModel(self.answer, price=100)  # type: ignore[arg-type]

    async def answer(self, request: vega.ModelRequest) -> object:
        fate = self.fates[self.calls % len(self.fates)]
        self.calls += 1
        await trio.sleep(fate / 10)
        size = sum(len(message.text) for message in request.messages)
        if fate == 0:
            return vega.ModelError("busy", vega.ErrorClass.OVERLOADED, status=529)
        if fate == 1:
            self.billed += 100 * (size + 4)
            return ["Half", CUT]
        length = min(fate * 10, request.max_tokens)
        self.billed += 100 * (size + length)
        return ScriptedReply("ok", vega.Usage(size, length))


@settings(max_examples=8)
@given(fates=st.lists(st.integers(0, 9), min_size=3, max_size=7).filter(lambda fates: max(fates) > 1))
def test_fifty_children_at_once_never_pass_the_limit_under_retries(fates: list[int]) -> None:
    billing = Billing(fates)

    async def main() -> None:
        failed = []

        async def one(orch: vega.Orchestrator) -> None:
            proc = await orch.spawn(vega.Agent(name="coder", max_tokens=100))
            with trio.move_on_after(40):
                try:
                    await proc.send("hello " * 5)
                except vega.TurnFailed as error:
                    failed.append(error.error_class)

        async with vega.open_orchestrator(model=billing.model) as orch:
            with vega.budget(usd=0.1) as scope:
                async with trio.open_nursery() as nursery:
                    for _ in range(50):
                        nursery.start_soon(one, orch)
        assert billing.billed <= scope.spent_microusd <= DOLLAR // 10
        assert scope.reserved_microusd == 0

    async def timely() -> None:
        with trio.fail_after(10_000):
            await main()

    trio.run(timely, clock=MockClock(autojump_threshold=0))


class Prompts(Billing):
    """What it has read it bills, also when the caller hangs up; of its answers, what a caller had heard by then."""

    read = 0

    async def answer(self, request: vega.ModelRequest) -> object:
        read = 100 * sum(len(message.text) for message in request.messages)
        refused = False
        try:
            reply = await super().answer(request)
            refused = isinstance(reply, vega.ModelError)
            return reply
        finally:
            self.read += 0 if refused else read


@settings(max_examples=8)
@given(
    fates=st.lists(st.integers(0, 9), min_size=3, max_size=7).filter(lambda fates: max(fates) > 1),
    ends=st.lists(st.sampled_from(["cancel", "stop", "kill", "wait"]), min_size=20, max_size=20),
    after=st.lists(st.integers(0, 15), min_size=20, max_size=20),
)
def test_whatever_is_cancelled_gives_its_reservation_back_and_pays_for_what_the_model_read(
    fates: list[int], ends: list[str], after: list[int]
) -> None:
    billing = Prompts(fates)

    async def one(orch: vega.Orchestrator, end: str, delay: int) -> None:
        proc = await orch.spawn(vega.Agent(name="coder", max_tokens=100))
        pending = proc.start_send("hello " * 5)
        await trio.sleep(delay / 10)
        match end:
            case "cancel":
                pending.cancel()
            case "stop":
                await proc.stop_turn()
            case "kill":
                await orch.kill(proc.id)
        with suppress(vega.TurnFailed, vega.TurnCancelled, vega.ProcessExited):
            await pending.wait()

    async def main() -> None:
        with trio.fail_after(10_000):
            async with vega.open_orchestrator(model=billing.model) as orch:
                with vega.budget(usd=0.1) as scope:
                    async with trio.open_nursery() as nursery:
                        for end, delay in zip(ends, after, strict=True):
                            nursery.start_soon(one, orch, end, delay)
                costs = sum(proc.metrics.cost_microusd for proc in orch.processes())
            assert scope.reserved_microusd == 0
            assert billing.read <= scope.spent_microusd <= DOLLAR // 10
            assert scope.spent_microusd >= costs

    trio.run(main, clock=MockClock(autojump_threshold=0))
