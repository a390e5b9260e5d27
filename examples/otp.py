"""Supervision without any language model: a crash, a restart of what stood on it, a monitor, an escalation.

    python examples/otp.py

The tree, in start order. `shop` is rest_for_one: each of its children stands on those before it.

    shop
     |-- database
     |-- cache         loses its head once and comes back; so does web, which stood on it
     |-- web
     `-- accounting    a supervisor of its own
          `-- ledger   a wrong sum is nothing that a restart cures: it is handed up
"""

import trio

import vega_trio as vega
from vega_trio import ChildSpec, Process, SupervisorSpec


def say(who: str, what: str) -> None:
    print(f"{who:17}{what}")


def service(name: str):
    """A body: answers mail until told to fail. Every incarnation runs it from its first line."""

    async def body(me: Process) -> None:
        say(name, f"starts, incarnation {me.incarnation}")
        try:
            async for mail in me.inbox:
                if isinstance(mail.message, Exception):
                    raise mail.message
                mail.reply(f"{name} has seen to {mail.message!r}")
        finally:
            say(name, "ends")

    return body


ACCOUNTING = SupervisorSpec(children=[ChildSpec("ledger", service("ledger"), name="ledger", on_failure="escalate")])
SHOP = SupervisorSpec(
    "rest_for_one",
    [
        ChildSpec("database", service("database"), name="database"),
        ChildSpec("cache", service("cache"), name="cache"),
        ChildSpec("web", service("web"), name="web"),
        ChildSpec("accounting", ACCOUNTING, name="accounting", on_failure="escalate"),
    ],
    max_restarts=3,
    window=5.0,
)


def show(shop: vega.Supervisor) -> None:
    for child in shop.which_children():
        say("shop", f"has {child.id} ({child.kind}), {child.state}, {child.restarts} restarts")


async def crash(orch: vega.Orchestrator) -> None:
    """One child crashes; the supervisor stops those after it, last first, and starts them all again, in order."""
    web = orch.whereis("web")
    assert web is not None
    async with orch.monitor(web) as downs, orch.subscribe([vega.ProcessRestarted]) as restarts:
        try:
            await orch.send("cache", ValueError("a poisoned entry"))
        except vega.ProcessExited as exited:
            say("caller", f"gets no answer: {exited.reason.error!r}")
        down = await downs.receive()
        say("monitor", f"hears that web's incarnation {down.incarnation} has ended: {down.reason}")
        async for restart in restarts:
            if restart.process_id == orch.whereis("accounting").id:
                break  # the last of them is up again
    # The process is the same, only its incarnation is another: who holds it goes on talking to it.
    say("caller", f"gets an answer: {await web.send('an order')}")


async def escalate(orch: vega.Orchestrator) -> None:
    """A failure that no restart cures goes up, level by level, and ends the block that opened it all."""
    await orch.post("ledger", ArithmeticError("debit is not credit"))
    await trio.sleep_forever()


async def main() -> None:
    try:
        async with vega.open_orchestrator() as orch:
            shop = await orch.supervise(SHOP, name="shop")
            show(shop)
            print("\n-- the cache crashes")
            await crash(orch)
            show(shop)
            print("\n-- the ledger fails")
            await escalate(orch)
    except vega.Escalated as error:
        print("\n-- everything has been stopped, in order; what arrived at the top")
        cause: BaseException = error
        while isinstance(cause, vega.Escalated):
            say("Escalated", f"the child {cause.child_id!r} failed, because of")
            cause = cause.cause
        say(type(cause).__name__, str(cause))


if __name__ == "__main__":
    trio.run(main)
