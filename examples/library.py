"""The library in one page: an agent with a tool, a streamed answer, and a crash that its caller survives.

    python examples/library.py --model demo      (needs no key)
    python examples/library.py                   (Claude; needs ANTHROPIC_API_KEY)
"""

import argparse

import trio

import vega_trio as vega


def word_count(text: str) -> int:
    """Counts the words of a text.

    Args:
        text: the text to count
    """
    return len(text.split())


ASSISTANT = vega.Agent(name="assistant", system="You are a helpful coding assistant.", tools=[word_count])


async def ask(orch: vega.Orchestrator) -> None:
    """One question, one answer. Leaving the block ends the process: there is nothing to complete or to forget."""
    async with orch.spawn(ASSISTANT) as proc:
        reply = await proc.send("Write a hello world function in Python")
        print(reply)


async def watch(orch: vega.Orchestrator) -> None:
    """The same as events: text as it comes, tool calls with their results."""
    async with orch.spawn(ASSISTANT) as proc:
        async with proc.stream('Please use word_count on "supervised agents do not fall over"') as events:
            async for event in events:
                match event:
                    case vega.TextDelta(delta=delta):
                        print(delta, end="", flush=True)
                    case vega.ToolStart(tool_name=name, arguments=arguments):
                        print(f"\n[{name} {dict(arguments)}]")
                    case vega.ToolEnd(result=result, duration_ms=duration):
                        print(f"[= {result} in {duration} ms]")
    print()


async def survive(orch: vega.Orchestrator) -> None:
    """A supervised process crashes in the middle of an answer; its caller just gets the answer."""
    supervision = vega.Supervision(vega.Strategy.RESTART, max_restarts=3, window=300)
    proc = await orch.spawn(ASSISTANT, name="worker", supervision=supervision)
    async with proc.stream("Now crash, and carry on") as events:
        async for event in events:
            match event:
                case vega.TextDelta(delta=delta):
                    print(delta, end="", flush=True)
                case vega.ProcessFailed(error=error):
                    print(f"\n[crashed: {error}]")
                case vega.ProcessRestarted(incarnation=incarnation):
                    print(f"[restarted as incarnation {incarnation}, with its history]")
    print()


async def main(model: str | None) -> None:
    async with vega.open_orchestrator(model=model) as orch:
        for part in (ask, watch, survive):
            print(f"\n--- {part.__name__}: {(part.__doc__ or '').splitlines()[0]}")
            await part(orch)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--model", help="demo, local, anthropic:NAME; default: the newest Claude Sonnet")
    trio.run(main, parser.parse_args().model)
