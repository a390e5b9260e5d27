"""vega_trio runs AI agents as supervised processes on Trio.

    import trio, vega_trio as vega

    async def main() -> None:
        async with vega.open_orchestrator(model="demo") as orch:
            async with orch.spawn(vega.Agent(name="assistant", system="You are helpful.")) as proc:
                print(await proc.send("hello"))

    trio.run(main)

The house, imports pointing to lower numbers only:

    0 values     agent changes context destinations diagnostics errors events exits headers messages model_call policies
                 price protocols session supervision
    1 pure       _core (rules)   dsl (the YAML language)
    2 runtime    processes, supervisors, the bus: the OTP kernel, usable without any language model
    3 engine     the turn loop   adapters: llm mcp skills store telemetry tools
    4 meta       teams, Mother and Hermes: agents with tools
    5 app        open_orchestrator, open_app: joins engine to adapters
    6 fronts     serve (HTTP)   telegram   mcp_server   cli
    testing      public: scripted models, fakes of services, a simulator, a store conformance suite

Names are loaded when first used, so that `vega --help` and a program that needs one value stay quick.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

from vega_trio._version import __version__

if TYPE_CHECKING:
    from vega_trio import testing as testing
    from vega_trio._core.budget import Account, budget
    from vega_trio._core.codec import dump_messages, load_messages
    from vega_trio.agent import (
        Agent,
        AutoShutdown,
        BackoffConfig,
        BackoffType,
        Body,
        Budget,
        ChildSpec,
        CircuitBreaker,
        RateLimit,
        Restart,
        RetryPolicy,
        SlidingWindow,
        Strategy,
        Supervision,
        SupervisorSpec,
        SupervisorStrategy,
        TokenBudget,
    )
    from vega_trio.app.application import App
    from vega_trio.app.open import open_app, open_orchestrator
    from vega_trio.app.run import Run
    from vega_trio.app.standalone import open_mcp
    from vega_trio.context import Metrics, ProcessHandle, ToolContext
    from vega_trio.engine.approvals import Approval
    from vega_trio.errors import *
    from vega_trio.events import *
    from vega_trio.exits import Crashed, Down, ExitReason, ExitSignal, Killed, NoProcess, Normal, Shutdown
    from vega_trio.messages import (
        DocumentPart,
        ImagePart,
        Message,
        TextPart,
        ThinkingPart,
        ToolCall,
        ToolOutput,
        ToolResult,
        Usage,
    )
    from vega_trio.price import Price
    from vega_trio.protocols import (
        Model,
        ModelDone,
        ModelRequest,
        PromptSource,
        Store,
        TextChunk,
        ThinkingChunk,
        Tool,
        ToolSource,
        ToolSpec,
    )
    from vega_trio.runtime.figures import ProcessStatistics
    from vega_trio.runtime.group import Answer, Group
    from vega_trio.runtime.health import HealthConfig
    from vega_trio.runtime.mail import Mail
    from vega_trio.runtime.mailbox import PendingReply
    from vega_trio.runtime.orchestrator import Orchestrator, SpawnTreeNode
    from vega_trio.runtime.process import Process
    from vega_trio.runtime.supervisor import ChildCount, ChildInfo, Supervisor
    from vega_trio.session import ErrorClass, Reply, Session
    from vega_trio.skills.prompt import SkillsPrompt
    from vega_trio.tools.toolbox import tool

_HOMES = {
    "app.open": "open_app open_orchestrator",
    "app.application": "App",
    "app.run": "Run",
    "engine.approvals": "Approval",
    "app.standalone": "open_mcp",
    "agent": (
        "Agent AutoShutdown BackoffConfig BackoffType Body Budget ChildSpec CircuitBreaker RateLimit Restart "
        "RetryPolicy SlidingWindow Strategy Supervision SupervisorSpec SupervisorStrategy TokenBudget"
    ),
    "_core.budget": "Account budget",
    "messages": "DocumentPart ImagePart Message TextPart ThinkingPart ToolCall ToolOutput ToolResult Usage",
    "_core.codec": "dump_messages load_messages",
    "price": "Price",
    "session": "ErrorClass Reply Session",
    "context": "Metrics ProcessHandle ToolContext",
    "skills.prompt": "SkillsPrompt",
    "tools.toolbox": "tool",
    "protocols": "Model ModelDone ModelRequest PromptSource Store TextChunk ThinkingChunk Tool ToolSource ToolSpec",
    "runtime.orchestrator": "Orchestrator SpawnTreeNode",
    "runtime.mail": "Mail",
    "runtime.mailbox": "PendingReply",
    "runtime.process": "Process",
    "runtime.supervisor": "ChildCount ChildInfo Supervisor",
    "runtime.figures": "ProcessStatistics",
    "runtime.group": "Answer Group",
    "runtime.health": "HealthConfig",
    "exits": "Crashed Down ExitReason ExitSignal Killed NoProcess Normal Shutdown",
    "events": (
        "AgentCreated AgentDeleted AgentUpdated ApprovalAwaited ApprovalRequested ApprovalResolved "
        "BlackboardChanged BreakerClosed BreakerHalfOpen BreakerOpened BudgetOverrun BudgetWarning EscalatedUp "
        "Event GaveUp HealthAlert HookFailed LlmRetry McpConnected McpDisconnected McpToolsChanged MessageReset "
        "ProcessCompleted ProcessExitSignal ProcessFailed ProcessRestarted ProcessRestarting ProcessStarted "
        "ProcessWaiting ServerStopping SessionUpdated ShutdownError StepFinished StepStarted TextDelta "
        "ThinkingDelta ToolEnd ToolProgress ToolStart TurnFailure TurnFinished TurnResumed TurnStarted TurnStopped "
        "WorkflowCancelled WorkflowCompleted WorkflowFailed WorkflowStarted"
    ),
    "errors": (
        "AgentExists AgentOfDocument AgentProtected AlreadyNamed ApprovalDecided ApprovalExpired "
        "BlackboardConflict BudgetExceeded CallTimeout ChildAlreadyPresent ChildAlreadyStarted "
        "ChildNotFound ChildRestarting ChildRunning CircuitOpen ConfigError Conflict DocumentError Escalated "
        "FailedToStart Ignore InputError MailboxFull MaxChildren McpError McpLost McpServerExists McpTimeout "
        "McpUnavailable MissingExtra MissingKey ModelError NameTaken "
        "NoProcessError OrchestratorClosed ProcessCrashed ProcessExit ProcessExited ProcessTimeout "
        "RateLimited RunCancelled RunFailed SlowSubscriber SpawnTooDeep StartTimeout StoreBroken StoreBusy "
        "StoreError StoreOverloaded StoreReadOnly StoreTooNew SupervisorGaveUp TooManyProcesses ToolError "
        "ToolRetry TurnCancelled TurnFailed UnknownAgent UnknownApproval UnknownItem UnknownMcpServer UnknownName "
        "UnknownProcess UnknownRun UnknownSession UnknownToken UnknownWorkflow VegaError WouldDeadlock"
    ),
}
_HOME_OF = {name: home for home, names in _HOMES.items() for name in names.split()}

# Written out for type checkers, which do not read the line above; a test holds the two together.
__all__ = [
    "Account", "Agent", "AgentCreated", "AgentDeleted", "AgentExists", "AgentOfDocument", "AgentProtected",
    "AgentUpdated", "AlreadyNamed", "Answer", "App", "Approval", "ApprovalAwaited", "ApprovalDecided",
    "ApprovalExpired", "ApprovalRequested", "ApprovalResolved", "AutoShutdown", "BackoffConfig", "BackoffType",
    "BlackboardChanged", "BlackboardConflict", "Body", "BreakerClosed", "BreakerHalfOpen", "BreakerOpened", "Budget",
    "BudgetExceeded", "BudgetOverrun", "BudgetWarning", "CallTimeout", "ChildAlreadyPresent", "ChildAlreadyStarted",
    "ChildCount", "ChildInfo", "ChildNotFound", "ChildRestarting", "ChildRunning", "ChildSpec", "CircuitBreaker",
    "CircuitOpen", "ConfigError", "Conflict", "Crashed", "DocumentError", "DocumentPart", "Down", "ErrorClass",
    "Escalated", "EscalatedUp", "Event", "ExitReason", "ExitSignal", "FailedToStart", "GaveUp", "Group", "HealthAlert",
    "HealthConfig", "HookFailed", "Ignore", "ImagePart", "InputError", "Killed", "LlmRetry", "Mail", "MailboxFull",
    "MaxChildren", "McpConnected", "McpDisconnected", "McpError", "McpLost", "McpServerExists", "McpTimeout",
    "McpToolsChanged", "McpUnavailable", "Message", "MessageReset", "Metrics", "MissingExtra", "MissingKey", "Model",
    "ModelDone", "ModelError", "ModelRequest", "NameTaken", "NoProcess", "NoProcessError", "Normal", "Orchestrator",
    "OrchestratorClosed", "PendingReply", "Price", "Process", "ProcessCompleted", "ProcessCrashed", "ProcessExit",
    "ProcessExitSignal", "ProcessExited", "ProcessFailed", "ProcessHandle", "ProcessRestarted", "ProcessRestarting",
    "ProcessStarted", "ProcessStatistics", "ProcessTimeout", "ProcessWaiting", "PromptSource", "RateLimit",
    "RateLimited", "Reply", "Restart", "RetryPolicy", "Run", "RunCancelled", "RunFailed", "ServerStopping", "Session",
    "SessionUpdated", "Shutdown", "ShutdownError", "SkillsPrompt", "SlidingWindow", "SlowSubscriber", "SpawnTooDeep",
    "SpawnTreeNode", "StartTimeout", "StepFinished", "StepStarted", "Store", "StoreBroken", "StoreBusy", "StoreError",
    "StoreOverloaded", "StoreReadOnly", "StoreTooNew", "Strategy", "Supervision", "Supervisor", "SupervisorGaveUp",
    "SupervisorSpec", "SupervisorStrategy", "TextChunk", "TextDelta", "TextPart", "ThinkingChunk", "ThinkingDelta",
    "ThinkingPart", "TokenBudget", "TooManyProcesses", "Tool", "ToolCall", "ToolContext", "ToolEnd", "ToolError",
    "ToolOutput", "ToolProgress", "ToolResult", "ToolRetry", "ToolSource", "ToolSpec", "ToolStart", "TurnCancelled",
    "TurnFailed", "TurnFailure", "TurnFinished", "TurnResumed", "TurnStarted", "TurnStopped", "UnknownAgent",
    "UnknownApproval", "UnknownItem", "UnknownMcpServer", "UnknownName", "UnknownProcess", "UnknownRun",
    "UnknownSession", "UnknownToken", "UnknownWorkflow", "Usage", "VegaError", "WorkflowCancelled", "WorkflowCompleted",
    "WorkflowFailed", "WorkflowStarted", "WouldDeadlock", "__version__", "budget", "dump_messages", "load_messages",
    "open_app", "open_mcp", "open_orchestrator", "testing", "tool",
]  # fmt: skip


def __getattr__(name: str) -> Any:
    if name == "testing":
        return import_module("vega_trio.testing")
    home = _HOME_OF.get(name)
    if home is None:
        raise AttributeError(f"module 'vega_trio' has no attribute {name!r}")
    value = globals()[name] = getattr(import_module(f"vega_trio.{home}"), name)
    return value


def __dir__() -> list[str]:
    return sorted(__all__)
