"""The server's figures for Prometheus (text format 0.0.4), and a page of them for people without a script."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from html import escape

import attrs
from quart import Request, Response

from vega_trio.app.statuses import PROCESS_STATUSES
from vega_trio.changes import ProcessQuery, ProcessTotals
from vega_trio.serve.desk import Desk, Route

SHOWN = 50  # processes on the page


@attrs.frozen
class Metric:
    """One metric. `values` are by label; one without labels has the label ""."""

    name: str
    kind: str
    help: str
    values: Mapping[str, float]
    label: str = ""

    def lines(self) -> Iterator[str]:
        yield f"# HELP {self.name} {self.help}"
        yield f"# TYPE {self.name} {self.kind}"
        for key, value in self.values.items():
            labels = f'{{{self.label}="{_escaped(key)}"}}' if self.label else ""
            yield f"{self.name}{labels} {value:.15g}"


async def scrape(desk: Desk, request: Request) -> Response:
    lines = [line for metric in await _metrics(desk) for line in metric.lines()]
    text = "\n".join(lines) + "\n"
    return Response(text, 200, content_type="text/plain; version=0.0.4; charset=utf-8")


async def page(desk: Desk, request: Request) -> Response:
    """The figures and the newest living processes."""
    figures = [
        (f"{metric.help} {key}".strip(), f"{value:.15g}")
        for metric in await _metrics(desk)
        for key, value in metric.values.items()
    ]
    living = await desk.app.overview.page(ProcessQuery(status="running"), SHOWN)
    body = (
        '<!doctype html><html lang="en"><meta charset="utf-8"><title>vega status</title><h1>vega status</h1>'
        f"<p>Up for {(await desk.app.stats()).uptime}.</p>"
        + _table("Figures", figures)
        + _table("Running processes", ((row.id, row.agent or row.task) for row in living))
        + "</html>"
    )
    return Response(body, 200, content_type="text/html; charset=utf-8")


async def _metrics(desk: Desk) -> list[Metric]:
    totals, stats = await desk.app.overview.totals(), await desk.app.stats()
    figures = desk.app.figures()
    zombies = Counter(thread.tool for thread in desk.app.zombie_threads())
    return [
        Metric("vega_processes", "gauge", "Processes on record, by status.", _by_status(totals), "status"),
        Metric("vega_mailbox_length", "gauge", "Messages that wait, by agent.", figures.mailbox, "agent"),
        Metric("vega_budget_remaining", "gauge", "Dollars that budgets have left.", figures.budgets, "scope"),
        Metric(
            "vega_tokens_total",
            "counter",
            "Tokens, by direction.",
            {"input": stats.total_input_tokens, "output": stats.total_output_tokens},
            "direction",
        ),
        _total("vega_cost_usd_total", "Spent, in dollars.", stats.total_cost_usd),
        _total("vega_tool_calls_total", "Tool calls.", stats.total_tool_calls),
        _total("vega_errors_total", "Failed turns.", stats.total_errors),
        _total("vega_restarts_total", "Restarts of processes since the start.", figures.restarts),
        _total("vega_events_total", "Events on record.", desk.ring.last),
        Metric("vega_event_subscribers", "gauge", "Listeners of the event stream.", {"": desk.ring.listeners}),
        Metric("vega_zombie_threads", "gauge", "Threads of cancelled tool calls that still run.", zombies, "tool"),
        Metric("vega_uptime_seconds", "gauge", "Seconds since the start.", {"": round(desk.app.uptime_s, 3)}),
    ]


def _total(name: str, text: str, value: float) -> Metric:
    return Metric(name, "counter", text, {"": value})


def _by_status(totals: Iterable[ProcessTotals]) -> dict[str, float]:
    found: Counter[str] = Counter()
    for each in totals:
        found[each.status] += each.count
    return {status: found[status] for status in PROCESS_STATUSES}


def _escaped(label: str) -> str:
    return label.replace("\\", "\\\\").replace("\n", "\\n").replace('"', '\\"')


def _table(title: str, rows: Iterable[tuple[str, str]]) -> str:
    cells = "".join(f"<tr><th scope=row>{escape(name)}<td>{escape(value)}" for name, value in rows)
    return f"<h2>{escape(title)}</h2><table>{cells}</table>"


ROUTES = (Route("GET", "/metrics", scrape), Route("GET", "/status", page))
