"""Whether a program is observed, and by what: providers that it has set up, or what `OTEL_*` asks for.

Nothing of OpenTelemetry is imported where nobody asked for it.
"""

from __future__ import annotations

import sys
from collections.abc import Mapping
from importlib.util import find_spec
from typing import TYPE_CHECKING

from vega_trio.errors import MissingExtra

if TYPE_CHECKING:
    from vega_trio.protocols import Telemetry

_ASKS = ("OTEL_EXPORTER_OTLP_ENDPOINT", "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", "OTEL_TRACES_EXPORTER")


def telemetry_of(env: Mapping[str, str]) -> Telemetry | None:
    """None where there is nobody to tell. Raises: MissingExtra when `OTEL_*` asks and the extra is not installed."""
    if env.get("OTEL_SDK_DISABLED", "").lower() == "true":
        return None
    asked = any(env.get(name) not in (None, "", "none") for name in _ASKS)
    if not asked and "opentelemetry.sdk" not in sys.modules:
        return None
    if find_spec("opentelemetry") is None or find_spec("opentelemetry.sdk") is None:
        raise MissingExtra("otel", "OTEL_EXPORTER_OTLP_ENDPOINT")
    from vega_trio.telemetry.otel import OtelTelemetry

    if asked:
        _export(env)
    return OtelTelemetry()


def _export(env: Mapping[str, str]) -> None:
    """Sends spans and metrics where `OTEL_*` says, unless the program has set up a provider of its own."""
    from opentelemetry import metrics, trace
    from opentelemetry.exporter.otlp.proto.http.metric_exporter import OTLPMetricExporter
    from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
    from opentelemetry.sdk.metrics import MeterProvider
    from opentelemetry.sdk.metrics.export import PeriodicExportingMetricReader
    from opentelemetry.sdk.resources import Resource
    from opentelemetry.sdk.trace import TracerProvider
    from opentelemetry.sdk.trace.export import BatchSpanProcessor

    if not isinstance(trace.get_tracer_provider(), trace.ProxyTracerProvider):
        return
    resource = Resource.create({"service.name": env.get("OTEL_SERVICE_NAME") or "vega"})
    provider = TracerProvider(resource=resource)
    provider.add_span_processor(BatchSpanProcessor(OTLPSpanExporter()))
    trace.set_tracer_provider(provider)
    metrics.set_meter_provider(MeterProvider([PeriodicExportingMetricReader(OTLPMetricExporter())], resource))
