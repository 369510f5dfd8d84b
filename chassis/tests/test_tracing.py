"""One trace from the outbox to the handler, as a collector sees it."""

from opentelemetry import trace
from opentelemetry.proto.trace.v1.trace_pb2 import Span
from opentelemetry.trace import NonRecordingSpan, SpanContext, TraceFlags

from chassis.testing import eventually
from chassis.testing.collector import ROOT, TRACE, collecting
from probe.testing import Probe


def test_one_trace_from_outbox_to_handler(probe: Probe) -> None:
    parent = NonRecordingSpan(SpanContext(TRACE, ROOT, is_remote=True, trace_flags=TraceFlags(1)))
    with collecting() as collector:
        with probe.run("work", **collector.variables), probe.run("relay", **collector.variables):
            with trace.use_span(parent):
                event = probe.write("hello")
            eventually(lambda: probe.handled(event) == 1)
    published = collector.spans["probe-relay", Span.SPAN_KIND_PRODUCER]
    processed = collector.spans["probe-work", Span.SPAN_KIND_CONSUMER]
    assert int.from_bytes(published.parent_span_id) == ROOT
    assert processed.parent_span_id == published.span_id
    assert (published.name, processed.name) == ("note.written.v1 publish", "probe.probe.note.written.v1 process")
