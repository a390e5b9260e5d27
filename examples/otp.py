"""Supervision without any model: a crash, a group restart, an escalation and a monitor, and what happened.

Run it: python examples/otp.py
"""

from __future__ import annotations

import trio

import vega_trio as vega


async def worker(me: vega.Process) -> None:
    """Answers its mail; the message "crash" is too much for it."""
    async for mail in me.inbox:
        if mail.message == "crash":
            raise RuntimeError(f"{me.name} broke")
        mail.reply(f"{me.name} (life {me.incarnation}) says {mail.message}")


def child(name: str, **options: object) -> vega.ChildSpec:
    return vega.ChildSpec(name, worker, name=name, **options)  # type: ignore[arg-type]


async def narrate(orch: vega.Orchestrator, *, task_status: trio.TaskStatus[None]) -> None:
    """Prints every event of a process or supervisor as it happens."""
    async with orch.subscribe(["process.*", "supervisor.*"], buffer=1000) as events:
        task_status.started()
        async for event in events:
            process = orch.get(event.process_id or "")
            detail = getattr(event, "reason", "") or getattr(event, "error", "")
            print(f"    {event.type:22} {process.name or 'supervisor':10} {detail}".rstrip())


async def settle() -> None:
    """Lets everybody do what they have to."""
    await trio.sleep(0.05)


async def one_crash(orch: vega.Orchestrator) -> None:
    print("1. A crash: the caller hears of it, the process comes back under its name.")
    await orch.supervise(vega.SupervisorSpec(children=(child("clerk"),)))
    try:
        await orch.send("clerk", "crash")
    except vega.ProcessCrashed as error:
        print(f"  the caller got: {error}")
    await settle()
    print("  " + await orch.send("clerk", "good morning"))


async def rest_for_one(orch: vega.Orchestrator) -> None:
    print("2. rest_for_one: who was started after the one that broke starts anew, who came before does not.")
    children = (child("store"), child("index"), child("search"))
    await orch.supervise(vega.SupervisorSpec("rest_for_one", children))
    await orch.post("index", "crash")
    await settle()
    for name in ("store", "index", "search"):
        print("  " + await orch.send(name, "here"))


async def monitored(orch: vega.Orchestrator) -> None:
    print("3. A monitor: one message when the watched life ends.")
    async with orch.spawn(worker, name="watched") as process, orch.monitor(process) as downs:
        process.exit(vega.Shutdown("closing time"))
        down = await downs.receive()
        print(f"  down: {orch.get(down.process_id).label}, {down.reason}")


async def escalated() -> None:
    print("4. An escalation: what a supervisor may not handle ends it, and so on up to the program.")
    vault = vega.SupervisorSpec(children=(child("vault", on_failure="escalate"), child("guard")))
    bank = vega.SupervisorSpec(children=(vega.ChildSpec("bank", vault, on_failure="escalate"),))
    try:
        async with vega.open_orchestrator(model="demo") as orch:
            await orch.supervise(bank)
            await orch.post("vault", "crash")
            await trio.sleep_forever()
    except vega.Escalated as error:
        while isinstance(error, vega.Escalated):
            print(f"  escalated by {error.child_id!r}")
            error = error.cause  # type: ignore[assignment]
        print(f"  because of {type(error).__name__}: {error}")


async def main() -> None:
    async with vega.open_orchestrator(model="demo") as orch, trio.open_nursery() as nursery:
        await nursery.start(lambda task_status: narrate(orch, task_status=task_status))
        await one_crash(orch)
        await rest_for_one(orch)
        await monitored(orch)
        nursery.cancel_scope.cancel()
    await escalated()


if __name__ == "__main__":
    trio.run(main)
