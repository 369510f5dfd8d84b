"""An OTLP/HTTP collector that keeps the spans of one trace."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.trace.v1.trace_pb2 import Span

TRACE, ROOT = 0x0AF7651916CD43DD8448EB211C80319C, 0xB7AD6B7169203331
# Says that a request continues the trace, and that it is recorded.
TRACEPARENT = f"00-{TRACE:032x}-{ROOT:016x}-01"


@dataclass
class Collector:
    """What it has got of the trace: (service, kind of span) → span, for spans of the service's first of each kind."""

    variables: dict[str, str]
    spans: dict[tuple[str, int], Span] = field(default_factory=dict)

    def take(self, request: ExportTraceServiceRequest) -> None:
        for resource in request.resource_spans:
            service = next(a.value.string_value for a in resource.resource.attributes if a.key == "service.name")
            for span in (span for scope in resource.scope_spans for span in scope.spans):
                if int.from_bytes(span.trace_id) == TRACE:
                    self.spans.setdefault((service, span.kind), span)

    def find(self, service: str, kind: int) -> Span | None:
        return self.spans.get((service, kind))


@contextmanager
def collecting() -> Iterator[Collector]:
    """A collector for as long as the context lasts; processes with its `variables` export to it at once.

    They record nothing but what continues the trace.
    """
    found = Collector({})

    class Handler(BaseHTTPRequestHandler):
        """Takes what is exported."""

        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            found.take(ExportTraceServiceRequest.FromString(body))
            self.send_response(200)
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, format: str, *args: object) -> None:
            """Quiet."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True).start()
        found.variables |= {
            "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT": f"http://127.0.0.1:{server.server_port}/v1/traces",
            "OTEL_EXPORTER_OTLP_TRACES_COMPRESSION": "none",
            "OTEL_TRACES_SAMPLER": "parentbased_always_off",
            "OTEL_BSP_SCHEDULE_DELAY": "100",
        }
        yield found
        server.shutdown()
