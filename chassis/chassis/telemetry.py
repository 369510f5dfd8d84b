"""OpenTelemetry as the standard OTEL_ variables say; without an exporter in them it costs nothing."""

import os
from collections.abc import Callable, Mapping

from opentelemetry import context, metrics, propagate, trace
from opentelemetry.context import Context
from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.metrics.export import PeriodicExportingMetricReader
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor, SpanExporter

# Longer waits for a silent collector would hold up a worker's end past its grace.
TIMEOUT_S = 3

tracer = trace.get_tracer("tongxiao")
_meter = metrics.get_meter("tongxiao")

published = _meter.create_counter("tongxiao.events.published", description="Events the broker confirmed")
unroutable = _meter.create_counter("tongxiao.events.unroutable", description="Events no queue was bound for")
handled = _meter.create_counter("tongxiao.events.handled", description="Events that took effect")
duplicates = _meter.create_counter("tongxiao.events.duplicates", description="Events that had taken effect before")
retried = _meter.create_counter("tongxiao.events.retried", description="Events sent round again after a failure")
parked = _meter.create_counter("tongxiao.events.parked", description="Events put aside for people to look at")
waiting = _meter.create_gauge("tongxiao.outbox.waiting", description="Events in the outbox")
waiting_age = _meter.create_gauge("tongxiao.outbox.age", unit="s", description="Age of the oldest event waiting")


def start(service: str, kind: str) -> Callable[[], None]:
    """Export what this process traces and measures; the function returned sends what is left and ends it."""
    resource = Resource.create({"service.name": f"{service}-{kind}"})
    ends = [end for end in (_start_traces(resource), _start_metrics(resource)) if end]

    def stop() -> None:
        for end in ends:
            end()

    return stop


def carried(headers: Mapping[str, object]) -> Context:
    """The trace that an event's headers continue."""
    return propagate.extract({name: str(value) for name, value in headers.items()}, context=context.Context())


def _start_traces(resource: Resource) -> Callable[[], None] | None:
    exporter = _span_exporter(_chosen("TRACES"))
    if exporter is None:
        return None
    provider = TracerProvider(resource=resource)
    provider.add_span_processor(BatchSpanProcessor(exporter))
    trace.set_tracer_provider(provider)
    return provider.shutdown


def _start_metrics(resource: Resource) -> Callable[[], None] | None:
    if _chosen("METRICS") != "otlp":
        return None
    from opentelemetry.exporter.otlp.proto.http.metric_exporter import OTLPMetricExporter

    reader = PeriodicExportingMetricReader(OTLPMetricExporter(timeout=TIMEOUT_S))
    provider = MeterProvider(metric_readers=[reader], resource=resource)
    metrics.set_meter_provider(provider)
    return provider.shutdown


def _span_exporter(name: str) -> SpanExporter | None:
    """Over HTTP always: a gRPC exporter blocks eventlet's hub."""
    if name == "otlp":
        from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter

        return OTLPSpanExporter(timeout=TIMEOUT_S)
    if name == "zipkin":
        from opentelemetry.exporter.zipkin.json import ZipkinExporter

        return ZipkinExporter(timeout=TIMEOUT_S)
    return None


def _chosen(signal: str) -> str:
    """OTEL_<signal>_EXPORTER; where that is unset, otlp if an address for it is known."""
    addressed = {"OTEL_EXPORTER_OTLP_ENDPOINT", f"OTEL_EXPORTER_OTLP_{signal}_ENDPOINT"} & os.environ.keys()
    return os.environ.get(f"OTEL_{signal}_EXPORTER", "otlp" if addressed else "none")
