"""The OTP kernel on Trio: processes, links, monitors, supervisors, one bus. Knows no language model.

async with open_kernel(store=..., make_body=..., ...) as orch:
    worker = await orch.spawn(some_async_function)
"""

import logging

from vega_trio.runtime.bodies import Conversation
from vega_trio.runtime.bus import Bus, Subscription
from vega_trio.runtime.figures import ProcessStatistics
from vega_trio.runtime.group import Answer, Group
from vega_trio.runtime.health import HealthConfig
from vega_trio.runtime.mail import Mail
from vega_trio.runtime.mailbox import PendingReply
from vega_trio.runtime.orchestrator import Orchestrator, open_kernel
from vega_trio.runtime.process import Process
from vega_trio.runtime.registry import SpawnTreeNode
from vega_trio.runtime.supervisor import ChildCount, ChildInfo, Supervisor

# A library is silent unless its program sets logging up.
logging.getLogger("vega_trio").addHandler(logging.NullHandler())

__all__ = [
    "Answer",
    "Bus",
    "ChildCount",
    "ChildInfo",
    "Conversation",
    "Group",
    "HealthConfig",
    "Mail",
    "Orchestrator",
    "PendingReply",
    "Process",
    "ProcessStatistics",
    "SpawnTreeNode",
    "Subscription",
    "Supervisor",
    "open_kernel",
]
