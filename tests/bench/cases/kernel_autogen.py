"""The same with AutoGen's runtime: `python kernel_autogen.py COUNT` prints CPU microseconds by row name."""

from __future__ import annotations

import asyncio
import json
import sys
import time
from dataclasses import dataclass

from autogen_core import AgentId, MessageContext, RoutedAgent, SingleThreadedAgentRuntime, message_handler


@dataclass
class Number:
    value: int


class Echo(RoutedAgent):
    @message_handler
    async def on_number(self, message: Number, ctx: MessageContext) -> Number:
        return message


async def main(count: int) -> None:
    runtime = SingleThreadedAgentRuntime()
    await Echo.register(runtime, "echo", lambda: Echo("echoes"))
    runtime.start()
    began = time.process_time()
    for number in range(count):
        await runtime.try_get_underlying_agent_instance(AgentId("echo", str(number)), Echo)
    spawned = time.process_time()
    for number in range(count):
        await runtime.send_message(Number(number), AgentId("echo", "0"))
    answered = time.process_time()
    await runtime.stop()
    us = 1e6 / count
    print(json.dumps({"spawn": (spawned - began) * us, "round_trip": (answered - spawned) * us}))


asyncio.run(main(int(sys.argv[1])))
