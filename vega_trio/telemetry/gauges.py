"""What is measured when it is asked for: processes, restarts, mailboxes, budgets."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager

import attrs
from opentelemetry.metrics import CallbackOptions, Meter, Observation

from vega_trio.protocols import Figures
from vega_trio.telemetry import genai

Measured = Iterable[Observation]


@attrs.define(eq=False)
class Gauges:
    """Instruments for as long as the program runs, as OpenTelemetry has no way to give one back. They are read in the
    thread that exports."""

    _meter: Meter
    _sources: dict[Callable[[], Figures], None] = attrs.field(factory=dict, init=False)

    def __attrs_post_init__(self) -> None:
        meter = self._meter
        meter.create_observable_gauge(genai.PROCESSES, [self._processes], "{process}", "Living processes.")
        meter.create_observable_counter(genai.RESTARTS, [self._restarts], "{restart}", "Restarts of processes.")
        meter.create_observable_gauge(genai.MAILBOX_LENGTH, [self._mailbox], "{message}", "Messages that wait.")
        meter.create_observable_gauge(genai.BUDGET_REMAINING, [self._budgets], "USD", "What budgets have left.")

    @contextmanager
    def watch(self, figures: Callable[[], Figures]) -> Iterator[None]:
        """Reads these figures while the block lasts."""
        self._sources[figures] = None
        try:
            yield
        finally:
            del self._sources[figures]

    def _processes(self, _: CallbackOptions) -> Measured:
        return self._by(genai.STATUS, lambda figures: figures.processes)

    def _mailbox(self, _: CallbackOptions) -> Measured:
        return self._by(genai.AGENT_NAME, lambda figures: figures.mailbox)

    def _budgets(self, _: CallbackOptions) -> Measured:
        return self._by(genai.BUDGET_SCOPE, lambda figures: figures.budgets)

    def _restarts(self, _: CallbackOptions) -> Measured:
        return [Observation(source().restarts) for source in list(self._sources)]

    def _by(self, label: str, values: Callable[[Figures], Mapping[str, float]]) -> Measured:
        found = [values(source()) for source in list(self._sources)]
        return [Observation(value, {label: key}) for each in found for key, value in each.items()]
