"""A collector of traces on loopback: takes OTLP over HTTP as Jaeger or Tempo would, and knows which
span hangs on nothing. It measures nothing itself."""

from __future__ import annotations

import threading
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest


@dataclass(frozen=True)
class Seen:
    name: str
    trace: str
    span: str
    parent: str
    attributes: dict[str, str]


@dataclass
class Collected:
    url: str
    spans: list[Seen] = field(default_factory=list)
    raw: bytearray = field(default_factory=bytearray)

    def of(self, trace: str) -> list[Seen]:
        return [one for one in self.spans if one.trace == trace]

    def by_trace(self) -> dict[str, list[Seen]]:
        found: dict[str, list[Seen]] = {}
        for one in self.spans:
            found.setdefault(one.trace, []).append(one)
        return found

    def broken(self, trace: str) -> list[Seen]:
        return orphans(self.of(trace))


def orphans(spans: Collection[Seen]) -> list[Seen]:
    """Spans of one trace whose parent is nowhere, besides the one root."""
    known = {one.span for one in spans}
    return [one for one in spans if one.parent and one.parent not in known]


@contextmanager
def receiving() -> Iterator[Collected]:
    """Listens until the end of the block."""
    collected = Collected(url="")

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            collected.raw += body
            collected.spans += _spans(body)
            self.send_response(200)
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, *_: object) -> None:
            """The reader of the spans says what matters."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    collected.url = f"http://127.0.0.1:{server.server_address[1]}"
    threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True).start()
    try:
        yield collected
    finally:
        server.shutdown()
        server.server_close()


def _spans(body: bytes) -> list[Seen]:
    request = ExportTraceServiceRequest.FromString(body)
    return [
        Seen(
            name=one.name,
            trace=one.trace_id.hex(),
            span=one.span_id.hex(),
            parent=one.parent_span_id.hex(),
            attributes={a.key: str(a.value) for a in one.attributes},
        )
        for resource in request.resource_spans
        for scope in resource.scope_spans
        for one in scope.spans
    ]
