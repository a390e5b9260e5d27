"""Whether a program is observed, and by what: providers that it has set up, what `OTEL_*` asks for, or what a document
does in `settings.tracing`.

Nothing of OpenTelemetry is imported where nobody asked for it.
"""

from __future__ import annotations

import sys
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from importlib.util import find_spec
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

import trio

from vega_trio._core.redact import redactor, secrets_of
from vega_trio.dsl.document import TracingDefinition
from vega_trio.errors import ConfigError, MissingExtra

if TYPE_CHECKING:
    from opentelemetry.sdk.trace import TracerProvider

    from vega_trio.protocols import Telemetry

_ASKS = ("OTEL_EXPORTER_OTLP_ENDPOINT", "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", "OTEL_TRACES_EXPORTER")
_CONTENT = "OTEL_INSTRUMENTATION_GENAI_CAPTURE_MESSAGE_CONTENT"
_TRACES = "/v1/traces"
FLUSH_S = 5.0


@asynccontextmanager
async def open_telemetry(env: Mapping[str, str], tracing: TracingDefinition | None) -> AsyncIterator[Telemetry | None]:
    """As `telemetry_of`; where nobody else observes the program, its spans go where the document says.

    On leaving, what was not sent yet is sent, for `FLUSH_S` at most. Raises: MissingExtra, ConfigError.
    """
    content = tracing is not None and tracing.content
    if tracing is None or not tracing.enabled or _off(env) or _asked(env) or _set_up():
        yield telemetry_of(env, content=content)
        return
    provider = _provider(env, tracing)
    from vega_trio.telemetry.otel import OtelTelemetry

    try:
        yield OtelTelemetry(content=content or _asks_content(env), provider=provider, redact=redactor(secrets_of(env)))
    finally:
        with trio.move_on_after(FLUSH_S, shield=True):
            await trio.to_thread.run_sync(provider.shutdown, abandon_on_cancel=True)


def telemetry_of(env: Mapping[str, str], *, content: bool = False) -> Telemetry | None:
    """None where there is nobody to tell. `content` has what is said in the spans, too.

    Raises: MissingExtra when `OTEL_*` asks and the extra is not installed.
    """
    if _off(env):
        return None
    asked = _asked(env)
    if not asked and "opentelemetry.sdk" not in sys.modules:
        return None
    _need("OTEL_EXPORTER_OTLP_ENDPOINT")
    from vega_trio.telemetry.otel import OtelTelemetry

    if asked:
        _export(env)
    return OtelTelemetry(content=content or _asks_content(env), redact=redactor(secrets_of(env)))


def _off(env: Mapping[str, str]) -> bool:
    return env.get("OTEL_SDK_DISABLED", "").lower() == "true"


def _asked(env: Mapping[str, str]) -> bool:
    return any(env.get(name) not in (None, "", "none") for name in _ASKS)


def _set_up() -> bool:
    """Whether the program sends its spans somewhere already."""
    if "opentelemetry.sdk" not in sys.modules:
        return False
    from opentelemetry import trace

    return not isinstance(trace.get_tracer_provider(), trace.ProxyTracerProvider)


def _asks_content(env: Mapping[str, str]) -> bool:
    return env.get(_CONTENT, "").lower() == "true"


def _need(feature: str) -> None:
    """Raises: MissingExtra."""
    if find_spec("opentelemetry") is None or find_spec("opentelemetry.sdk") is None:
        raise MissingExtra("otel", feature)


def _provider(env: Mapping[str, str], tracing: TracingDefinition) -> TracerProvider:
    """A provider of the document's own, which leaves the program's alone. Raises: MissingExtra, ConfigError."""
    _need("settings.tracing")
    from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
    from opentelemetry.sdk.resources import Resource
    from opentelemetry.sdk.trace import TracerProvider
    from opentelemetry.sdk.trace.export import BatchSpanProcessor, SimpleSpanProcessor

    from vega_trio.telemetry.lines import LineExporter

    resource = Resource.create({"service.name": env.get("OTEL_SERVICE_NAME") or "vega"})
    provider = TracerProvider(resource=resource, shutdown_on_exit=False)
    if tracing.exporter == "otlp":
        exporter = OTLPSpanExporter(endpoint=_traces_at(tracing.endpoint))
        provider.add_span_processor(BatchSpanProcessor(exporter))
    else:
        provider.add_span_processor(SimpleSpanProcessor(LineExporter(as_json=tracing.exporter == "json")))
    return provider


def _traces_at(endpoint: str | None) -> str | None:
    """Where a collector at this address takes spans; a path that is given stays. Raises: ConfigError."""
    if endpoint is None:
        return None
    try:
        parts = urlsplit(endpoint)
        usable = parts.scheme in ("http", "https") and bool(parts.hostname)
    except ValueError:
        usable = False
    if not usable:
        raise ConfigError(
            f"settings.tracing.endpoint is {endpoint!r}, which is no http address; write for example "
            "http://localhost:4318"
        )
    return endpoint if parts.path not in ("", "/") else endpoint.rstrip("/") + _TRACES


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
