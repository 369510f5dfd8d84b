"""Traces: a span for each request and for each RPC, and a trace id for every answer even where nothing records."""

import secrets
from collections.abc import Mapping

from opentelemetry import context, metrics, trace
from opentelemetry.trace import Span, SpanContext, SpanKind
from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator

tracer = trace.get_tracer("gateway")
duration = metrics.get_meter("gateway").create_histogram(
    "http.server.request.duration", unit="s", description="How long requests took, by route and status"
)
_propagator = TraceContextTextMapPropagator()
_NOWHERE = context.Context()


def begin(method: str, headers: Mapping[bytes, bytes]) -> Span:
    """The span of a request, within the client's trace if it names one. Whoever begins it ends it."""
    parent = _NOWHERE
    if b"traceparent" in headers:
        carrier = {"traceparent": headers[b"traceparent"].decode("latin-1")}
        parent = _propagator.extract(carrier, _NOWHERE)
    return tracer.start_span(method, parent, SpanKind.SERVER)


def trace_id(span: Span) -> str:
    """The trace's id; where nothing records and the client names none, one made up."""
    found = span.get_span_context()
    return f"{found.trace_id:032x}" if found.is_valid else secrets.token_hex(16)


def rpc(name: str, parent: Span) -> Span:
    """The span of an RPC within a request's. Whoever begins it ends it."""
    return tracer.start_span(name, trace.set_span_in_context(parent, _NOWHERE), SpanKind.CLIENT)


def traceparent(span: Span, trace_id: str) -> str:
    """The header that carries a span on (W3C Trace Context)."""
    found: SpanContext = span.get_span_context()
    if not found.is_valid:
        return f"00-{trace_id}-{secrets.token_hex(8)}-00"
    return f"00-{found.trace_id:032x}-{found.span_id:016x}-{int(found.trace_flags):02x}"
