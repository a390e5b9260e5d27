"""Spans and metrics of OpenTelemetry (extra `otel`): a turn, the model calls in it, the tool calls in it.

A span is entered and left in one task, and work that a tool starts nests below it. A turn's span continues the trace of
whoever sent the message, whose context came with the mail. What a model and a person said is in it only when asked for.
"""

from __future__ import annotations

import time
import uuid
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager
from contextvars import Context
from typing import Any

import attrs
import trio
from opentelemetry import context as otel_context
from opentelemetry import metrics, trace
from opentelemetry.trace import SpanKind, StatusCode

from vega_trio._core.codec import dump_messages
from vega_trio._core.redact import Redactor
from vega_trio._version import __version__
from vega_trio.messages import Message, TextPart, Usage
from vega_trio.protocols import Figures, ModelRequest
from vega_trio.telemetry import genai
from vega_trio.telemetry.gauges import Gauges

_SCOPE = "vega_trio"


def _json(messages: Iterable[Message]) -> str:
    return dump_messages(messages).decode("utf-8")


@attrs.define
class OtelSpan:
    """One span while it lasts. It has failed once `fail` was called, or when an exception or a cancel leaves it."""

    _span: trace.Span
    _redact: Redactor
    _content: bool = False
    error_type: str = ""

    @property
    def link(self) -> trace.SpanContext:
        return self._span.get_span_context()

    def tell(self, **attributes: Any) -> None:
        """`usage`, `stop_reason`, `cost_usd`, `said`, `calls`, `exit_reason`: what is known at the end."""
        usage, reason = attributes.get("usage"), attributes.get("stop_reason")
        if isinstance(usage, Usage):
            read = usage.input_tokens + usage.cache_read_tokens + usage.cache_write_tokens
            self._span.set_attributes({genai.INPUT_TOKENS: read, genai.OUTPUT_TOKENS: usage.output_tokens})
        if reason:
            self._span.set_attribute(genai.FINISH_REASONS, [reason])
        if self._content and "said" in attributes:
            answer = Message("assistant", [TextPart(attributes["said"]), *attributes["calls"]])
            self._span.set_attribute(genai.OUTPUT, _json([answer]))
        if attributes.get("cost_usd") is not None:
            self._span.set_attribute(genai.COST_USD, attributes["cost_usd"])
        if attributes.get("exit_reason"):
            self._span.set_attribute(genai.EXIT_REASON, attributes["exit_reason"])

    def fail(self, error_type: str, message: str = "") -> None:
        self.error_type = error_type
        self._span.set_attribute(genai.ERROR_TYPE, error_type)
        self._span.set_status(StatusCode.ERROR, self._redact(message or error_type))


@attrs.define(eq=False)
class OtelTelemetry:
    """Speaks to `provider`, else to whatever providers the program has set up. `content`: what is said is told too.

    `redact` takes secrets out of what errors say.
    """

    content: bool = False
    provider: trace.TracerProvider | None = None
    redact: Redactor = attrs.field(factory=Redactor)
    _tracer: trace.Tracer = attrs.field(init=False)
    _tokens: metrics.Histogram = attrs.field(init=False)
    _duration: metrics.Histogram = attrs.field(init=False)
    _gauges: Gauges = attrs.field(init=False)

    def __attrs_post_init__(self) -> None:
        meter = metrics.get_meter(_SCOPE, __version__)
        self._tracer = trace.get_tracer(_SCOPE, __version__, self.provider)
        self._tokens = meter.create_histogram(genai.TOKEN_USAGE, "{token}", "Tokens of a model call.")
        self._duration = meter.create_histogram(genai.DURATION, "s", "How long a model call took.")
        # A scope of its own: a meter keeps the first of two instruments of one name, and so another program's.
        self._gauges = Gauges(metrics.get_meter(_SCOPE, __version__, attributes={genai.PROGRAM: uuid.uuid4().hex}))

    def watch(self, figures: Callable[[], Figures]) -> AbstractContextManager[None]:
        return self._gauges.watch(figures)

    def turn(
        self,
        *,
        agent: str,
        process_id: str,
        incarnation: int,
        supervisor: str | None,
        turn_id: str,
        session_id: str | None,
        origin: Context | None,
        before: object,
    ) -> AbstractContextManager[OtelSpan]:
        attributes: dict[str, Any] = {
            genai.OPERATION: genai.INVOKE_AGENT,
            genai.AGENT_NAME: agent,
            genai.PROCESS_ID: process_id,
            genai.INCARNATION: incarnation,
            genai.TURN_ID: turn_id,
        }
        parent = origin.run(otel_context.get_current) if origin is not None else otel_context.get_current()
        known = {
            genai.CONVERSATION: session_id,
            genai.SUPERVISOR: supervisor,
            genai.RUN_ID: otel_context.get_value(genai.RUN_ID, parent),
        }
        attributes |= {name: value for name, value in known.items() if value is not None}
        links = [trace.Link(before)] if isinstance(before, trace.SpanContext) else []
        return self._span(f"{genai.INVOKE_AGENT} {agent}", SpanKind.INTERNAL, attributes, parent, links)

    @contextmanager
    def workflow(self, name: str, run_id: str, process_id: str) -> Iterator[OtelSpan]:
        attributes = {
            genai.OPERATION: genai.INVOKE_WORKFLOW,
            genai.RUN_ID: run_id,
            genai.PROCESS_ID: process_id,
        }
        # The turns of its steps are told by the context that goes with their mail.
        token = otel_context.attach(otel_context.set_value(genai.RUN_ID, run_id))
        try:
            with self._span(f"{genai.INVOKE_WORKFLOW} {name}", SpanKind.INTERNAL, attributes, None) as span:
                yield span
        finally:
            otel_context.detach(token)

    @contextmanager
    def chat(self, model: str, request: ModelRequest) -> Iterator[OtelSpan]:
        provider, _, name = model.partition(":")
        common = {
            genai.OPERATION: genai.CHAT,
            genai.PROVIDER: provider,
            genai.REQUEST_MODEL: name or model,
        }
        attributes: dict[str, Any] = {**common, genai.REQUEST_MAX_TOKENS: request.max_tokens}
        if request.temperature is not None:
            attributes[genai.REQUEST_TEMPERATURE] = request.temperature
        if self.content:
            attributes |= {genai.SYSTEM: request.system, genai.INPUT: _json(request.messages)}
        began = time.perf_counter()
        with self._span(f"{genai.CHAT} {name or model}", SpanKind.CLIENT, attributes, None) as span:
            try:
                yield span
            finally:
                failed = {genai.ERROR_TYPE: span.error_type} if span.error_type else {}
                self._duration.record(time.perf_counter() - began, {**common, **failed})

    def tokens(self, model: str, usage: Usage) -> None:
        provider, _, name = model.partition(":")
        common = {genai.OPERATION: genai.CHAT, genai.PROVIDER: provider, genai.REQUEST_MODEL: name or model}
        read = usage.input_tokens + usage.cache_read_tokens + usage.cache_write_tokens
        self._tokens.record(read, {**common, genai.TOKEN_TYPE: "input"})
        self._tokens.record(usage.output_tokens, {**common, genai.TOKEN_TYPE: "output"})

    def tool(self, name: str, call_id: str) -> AbstractContextManager[OtelSpan]:
        attributes = {genai.OPERATION: genai.EXECUTE_TOOL, genai.TOOL_NAME: name, genai.TOOL_CALL_ID: call_id}
        return self._span(f"{genai.EXECUTE_TOOL} {name}", SpanKind.INTERNAL, attributes, None)

    @contextmanager
    def _span(
        self,
        name: str,
        kind: SpanKind,
        attributes: Mapping[str, Any],
        parent: otel_context.Context | None,
        links: Sequence[trace.Link] = (),
    ) -> Iterator[OtelSpan]:
        with self._tracer.start_as_current_span(
            name, parent, kind, attributes, links, record_exception=False, set_status_on_exception=False
        ) as started:
            span = OtelSpan(started, self.redact, self.content)
            try:
                yield span
            except trio.Cancelled:
                span.fail("cancelled")
                raise
            except Exception as error:
                if not span.error_type:
                    span.fail(type(error).__name__, str(error))
                raise
