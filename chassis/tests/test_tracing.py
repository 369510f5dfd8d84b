"""One trace from the outbox to the handler, as a collector sees it."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, HTTPServer

from opentelemetry import trace
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.trace.v1.trace_pb2 import Span
from opentelemetry.trace import NonRecordingSpan, SpanContext, TraceFlags

from chassis.testing import eventually
from probe.testing import Probe

TRACE, ROOT = 0x0AF7651916CD43DD8448EB211C80319C, 0xB7AD6B7169203331


@contextmanager
def collector() -> Iterator[tuple[str, dict[str, Span]]]:
    """An OTLP/HTTP collector: its address, and the spans of the trace that it gets, by name."""
    spans: dict[str, Span] = {}

    class Handler(BaseHTTPRequestHandler):
        """Takes what is exported."""

        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            for resource in ExportTraceServiceRequest.FromString(body).resource_spans:
                found = (span for scope in resource.scope_spans for span in scope.spans)
                spans.update({span.name: span for span in found if int.from_bytes(span.trace_id) == TRACE})
            self.send_response(200)
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, format: str, *args: object) -> None:
            """Quiet."""

    with HTTPServer(("127.0.0.1", 0), Handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}/v1/traces", spans
        server.shutdown()


def test_one_trace_from_outbox_to_handler(probe: Probe) -> None:
    parent = NonRecordingSpan(SpanContext(TRACE, ROOT, is_remote=True, trace_flags=TraceFlags(1)))
    with collector() as (url, spans):
        exporting = {"OTEL_EXPORTER_OTLP_TRACES_ENDPOINT": url, "OTEL_EXPORTER_OTLP_TRACES_COMPRESSION": "none"}
        with probe.run("work", **exporting), probe.run("relay", **exporting):
            with trace.use_span(parent):
                event = probe.write("hello")
            eventually(lambda: probe.handled(event) == 1)
    published, processed = spans["note.written.v1 publish"], spans["probe.probe.note.written.v1 process"]
    assert int.from_bytes(published.parent_span_id) == ROOT
    assert processed.parent_span_id == published.span_id
    assert (published.kind, processed.kind) == (Span.SPAN_KIND_PRODUCER, Span.SPAN_KIND_CONSUMER)
