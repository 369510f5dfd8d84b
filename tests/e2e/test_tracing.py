"""One trace from a request to the handler of its event in another service, across five processes."""

from opentelemetry.proto.trace.v1.trace_pb2 import Span

from chassis.testing import Databases, eventually
from chassis.testing.collector import ROOT, TRACEPARENT, Collector
from probe.testing import Probe

from .platform import Platform

IN_ORDER = (
    ("gateway-serve", Span.SPAN_KIND_SERVER, "POST /v1/customers"),
    ("gateway-serve", Span.SPAN_KIND_CLIENT, "/tongxiao.customers.v1.CustomersService/CreateCustomer"),
    ("customers-serve", Span.SPAN_KIND_SERVER, "/tongxiao.customers.v1.CustomersService/CreateCustomer"),
    ("customers-relay", Span.SPAN_KIND_PRODUCER, "customer.changed.v1 publish"),
    ("probe-work", Span.SPAN_KIND_CONSUMER, "probe.customers.customer.changed.v1 process"),
)


def test_each_step_is_the_child_of_the_one_before(
    platform: Platform, collector: Collector, service_databases: Databases
) -> None:
    line = platform.make("director", "/v1/product-lines", code="TRACE", name="设备")
    probe = Probe(service_databases.fresh("probe"), platform.broker_url)
    with probe.run("work", **collector.variables):
        given = {"name": "一条链路", "assignments": [{"lineId": line}]}
        seller = platform.client("salesperson_h")
        answer = seller.post("/v1/customers", json=given, headers={"traceparent": TRACEPARENT})
        assert answer.status_code == 201, answer.text
        eventually(lambda: all(collector.find(service, kind) for service, kind, _ in IN_ORDER))
    spans = [collector.spans[service, kind] for service, kind, _ in IN_ORDER]
    assert [span.name for span in spans] == [name for _, _, name in IN_ORDER]
    parents = [int.from_bytes(span.parent_span_id) for span in spans]
    assert parents == [ROOT, *(int.from_bytes(span.span_id) for span in spans[:-1])]
