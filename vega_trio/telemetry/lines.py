"""Spans as lines on stderr, for who looks at one program without a collector."""

from __future__ import annotations

import sys
from collections.abc import Sequence

import attrs
from opentelemetry.sdk.trace import ReadableSpan
from opentelemetry.sdk.trace.export import SpanExporter, SpanExportResult

from vega_trio._core.codec import encode_json


@attrs.define
class LineExporter(SpanExporter):
    """Writes a line for each span that has ended, to whatever `sys.stderr` is then: JSON whole, else in short."""

    as_json: bool

    def export(self, spans: Sequence[ReadableSpan]) -> SpanExportResult:
        for span in spans:
            line = span.to_json(indent=None) if self.as_json else _short(span)
            sys.stderr.write(line + "\n")
        sys.stderr.flush()
        return SpanExportResult.SUCCESS


def _short(span: ReadableSpan) -> str:
    """Trace, name, milliseconds, attributes. What is in it may come from a model and is quoted as JSON."""
    trace_id = span.context.trace_id if span.context is not None else 0
    took_ms = ((span.end_time or 0) - (span.start_time or 0)) / 1e6
    told = encode_json(dict(span.attributes or {})).decode("utf-8")
    return f"span {trace_id:032x} {encode_json(span.name).decode('utf-8')} {took_ms:.1f} ms {told}"
