"""The way to an OTLP collector: the official SDK batches, retries and gives up in a thread of its
own. It is imported only when a collector is set."""

from __future__ import annotations

from typing import Final

from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import ReadableSpan
from opentelemetry.sdk.trace.export import BatchSpanProcessor
from opentelemetry.sdk.util.instrumentation import InstrumentationScope
from opentelemetry.trace import SpanContext, SpanKind, Status, StatusCode, TraceFlags

from domain.observing.traces import Span

PATH: Final = "/v1/traces"
TIMEOUT_S: Final = 5.0
"""A collector that hangs costs a batch, never a request."""
DELAY_MS: Final = 500.0
QUEUE_MAX: Final = 8_192
"""Above this spans are dropped: memory stays bounded while the collector is away."""
FLUSH_MS: Final = 3_000

_KINDS: Final = {
    "internal": SpanKind.INTERNAL,
    "server": SpanKind.SERVER,
    "client": SpanKind.CLIENT,
    "consumer": SpanKind.CONSUMER,
}
_SCOPE: Final = InstrumentationScope("kontor")


class Collector:
    """`endpoint` is the collector's base URL, as `http://127.0.0.1:4318`."""

    def __init__(self, process: str, endpoint: str) -> None:
        url = endpoint if endpoint.endswith(PATH) else endpoint.rstrip("/") + PATH
        self._resource = Resource({"service.name": "kontor", "kontor.process": process})
        self._processor = BatchSpanProcessor(
            OTLPSpanExporter(endpoint=url, timeout=TIMEOUT_S),
            max_queue_size=QUEUE_MAX,
            schedule_delay_millis=DELAY_MS,
        )

    def take(self, trace: int, spans: list[Span]) -> None:
        for one in spans:
            self._processor.on_end(self._readable(trace, one))

    def flush(self) -> None:
        self._processor.force_flush(FLUSH_MS)

    def _readable(self, trace: int, one: Span) -> ReadableSpan:
        failed = Status(StatusCode.ERROR, one.failed) if one.failed else Status()
        return ReadableSpan(
            name=one.name,
            context=_context(trace, one.span_id),
            parent=None if one.parent is None else _context(trace, one.parent),
            resource=self._resource,
            attributes=one.attributes,
            kind=_KINDS[one.kind],
            status=failed,
            start_time=one.began_ns,
            end_time=one.ended_ns or one.began_ns,
            instrumentation_scope=_SCOPE,
        )


def _context(trace: int, span: int) -> SpanContext:
    sampled = TraceFlags(TraceFlags.SAMPLED)
    return SpanContext(trace_id=trace, span_id=span, is_remote=True, trace_flags=sampled)
