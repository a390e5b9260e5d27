"""The program in figures, as `/metrics` and OpenTelemetry show them."""

from __future__ import annotations

from collections import Counter

from vega_trio._core.budget import Account
from vega_trio.protocols import Figures
from vega_trio.runtime.orchestrator import Orchestrator
from vega_trio.runtime.process import Process


def figures_of(orch: Orchestrator, whole: Account | None) -> Figures:
    """`whole` is the application's budget, if it has one. May be called from another thread."""
    living = orch.processes()
    mailbox: Counter[str] = Counter()
    for process in living:
        mailbox[process.agent_name or ""] += process.mailbox_length
    return Figures(
        processes={"pending": 0, "running": 0, **Counter(process.status for process in living)},
        restarts=orch.restarts,
        mailbox=mailbox,
        budgets=_budgets(living, whole),
    )


def _budgets(living: list[Process], whole: Account | None) -> dict[str, float]:
    found = {} if whole is None else {whole.label: whole.remaining}
    for process in living:
        if process.budget is not None:
            label = process.agent_name or process.label
            found[label] = min(process.budget.remaining, found.get(label, process.budget.remaining))
    return found
