from __future__ import annotations

from vega_trio.agent import Supervision
from vega_trio.cli.summary import counts, summary
from vega_trio.dsl.document import AgentDefinition, Document, McpServerDefinition, Settings
from vega_trio.dsl.policy import BudgetDefinition, Place
from vega_trio.dsl.workflow import InputDefinition, WorkflowDefinition
from vega_trio.price import Price

HERE = Place("a.vega.yaml", 1, 1)


def document(**more: object) -> Document:
    agents = {"writer": AgentDefinition(name="writer", system="You write.", place=HERE, tools=("read_file",))}
    return Document(file="a.vega.yaml", agents=agents, **more)  # type: ignore[arg-type]


def test_counts_know_singular_and_plural() -> None:
    assert counts(document()) == "1 agent, 0 workflows, 0 tools"


def test_a_summary_lists_agents_inputs_and_changed_settings_only() -> None:
    inputs = {
        "task": InputDefinition(name="task", description="What to do"),
        "rounds": InputDefinition(name="rounds", type="integer", required=False, default=2, has_default=True),
        "style": InputDefinition(name="style", required=False),
    }
    workflow = WorkflowDefinition(name="write", steps=(), place=HERE, inputs=inputs, primary="task")
    settings = Settings(
        default_model="demo",
        http_allow=("localhost", "10.0.0.0/8"),
        supervision=Supervision(max_restarts=7, window=90.0),
        budget=BudgetDefinition(500_000, per="day"),
        prices={"openai:m": Price(input=0.5, output=2)},
        values={"greeting": "hello", "token": "s3cret"},
        mcp_servers=(McpServerDefinition(name="files", place=HERE, env={"TOKEN": "s3cret"}),),
        idle_stop_s=0.25,
        memory_enabled=True,
    )
    text = summary(document(workflows={"write": workflow}, settings=settings))
    assert "  writer (demo), tools: read_file\n" in text
    assert "  write (0 steps)\n" in text
    assert "    --task (string, required, primary): What to do\n" in text
    assert "    --rounds (integer, default 2)\n" in text
    assert "    --style (string, optional)\n" in text
    shown = [line.strip() for line in text.partition("Settings:\n")[2].splitlines()]
    assert shown == [
        "default_model: demo",
        "budget: limit $0.50, per day",
        "supervision: max_restarts 7, window 1m30s",
        "prices: openai:m (input $0.50, output $2.00)",
        "http.allow: localhost, 10.0.0.0/8",
        "values: greeting, token",
        "memory.enabled: true",
        "idle_stop: 250ms",
        "mcp.servers: files",
    ]
    assert "max_processes" not in text
    assert "Tools:\n  none\n" in text


def test_a_summary_never_shows_the_key() -> None:
    text = summary(document(settings=Settings(api_key="sk-secret")))
    assert "api_key: (set)" in text
    assert "sk-secret" not in text


def test_a_summary_cannot_steer_the_terminal() -> None:
    assert "\x1b" not in summary(document(name="\x1b[2J"))
