"""Names of OpenTelemetry's semantic conventions for generative AI, at one revision: v1.38, of November 2025.

All that we use stand here, so that a later revision is a change of one module. `vega.*` are ours.
"""

from __future__ import annotations

from typing import Final

OPERATION: Final = "gen_ai.operation.name"
INVOKE_AGENT: Final = "invoke_agent"
INVOKE_WORKFLOW: Final = "invoke_workflow"
CHAT: Final = "chat"
EXECUTE_TOOL: Final = "execute_tool"

PROVIDER: Final = "gen_ai.provider.name"
AGENT_NAME: Final = "gen_ai.agent.name"
CONVERSATION: Final = "gen_ai.conversation.id"
REQUEST_MODEL: Final = "gen_ai.request.model"
REQUEST_MAX_TOKENS: Final = "gen_ai.request.max_tokens"
REQUEST_TEMPERATURE: Final = "gen_ai.request.temperature"
FINISH_REASONS: Final = "gen_ai.response.finish_reasons"
INPUT_TOKENS: Final = "gen_ai.usage.input_tokens"
OUTPUT_TOKENS: Final = "gen_ai.usage.output_tokens"
TOKEN_TYPE: Final = "gen_ai.token.type"  # noqa: S105 - the name of an attribute
TOOL_NAME: Final = "gen_ai.tool.name"
TOOL_CALL_ID: Final = "gen_ai.tool.call.id"
SYSTEM: Final = "gen_ai.system_instructions"
INPUT: Final = "gen_ai.input.messages"
OUTPUT: Final = "gen_ai.output.messages"
ERROR_TYPE: Final = "error.type"

TOKEN_USAGE: Final = "gen_ai.client.token.usage"  # noqa: S105 - the name of a metric
DURATION: Final = "gen_ai.client.operation.duration"

PROCESS_ID: Final = "vega.process.id"
INCARNATION: Final = "vega.process.incarnation"
SUPERVISOR: Final = "vega.process.supervisor"
EXIT_REASON: Final = "vega.process.exit_reason"
"""Of a turn with which its process ended."""

RUN_ID: Final = "vega.run.id"
TURN_ID: Final = "vega.turn.id"
COST_USD: Final = "vega.cost_usd"
"""Of a turn; absent where no price is known."""

PROCESSES: Final = "vega.processes"
RESTARTS: Final = "vega.restarts"
MAILBOX_LENGTH: Final = "vega.mailbox.length"
BUDGET_REMAINING: Final = "vega.budget.remaining"
STATUS: Final = "vega.process.status"
BUDGET_SCOPE: Final = "vega.budget.scope"
PROGRAM: Final = "vega.program"
"""Of the gauges' scope: which of those that were opened in one interpreter."""
