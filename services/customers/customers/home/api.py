"""GetCustomerSummary and GetUnitFigures: what people find first."""

from collections.abc import Iterator, Mapping
from typing import Any
from uuid import UUID

from chassis import clock
from chassis.call import Call
from customers import people
from customers.customer.messages import customer_message
from customers.home import queries
from customers.home.model import UnitCount
from customers.home.operations import UNCONTACTED
from tongxiao.customers.v1 import customer_pb2 as pb


def get_customer_summary(request: pb.GetCustomerSummaryRequest, call: Call) -> pb.CustomerSummary:  # noqa: ARG001
    person = people.find(call.session, call.caller.person_id)
    today = clock.today(people.unit_zone(call.session, person.unit_id if person else None))
    owned, more = queries.count_owned(call)
    uncontacted, uncontacted_more = queries.count_owned(call, uncontacted_before=clock.now() - UNCONTACTED)
    due_today, overdue = queries.count_due(call, today)
    return pb.CustomerSummary(
        owned_count=owned,
        owned_more=more,
        due_customers=[customer_message(customer, call) for customer in queries.due(call, today)],
        due_today_count=due_today,
        overdue_count=overdue,
        uncontacted_count=uncontacted,
        uncontacted_more=uncontacted_more,
    )


def get_unit_figures(request: pb.GetUnitFiguresRequest, call: Call) -> pb.UnitFiguresReport:  # noqa: ARG001
    scope, tree = call.read_scope, call.trees.current()
    roots = {root for root in scope.governed if not tree.under(root, scope.governed - {root})}
    shown = {unit_id for unit_id in scope.governed_units if unit_id in roots or tree.parents[unit_id] in roots}
    found = queries.figures(call.session, scope.governed_units)
    report = pb.UnitFiguresReport(units=_units(call, shown, found))
    if found:
        report.count_time.CopyFrom(clock.stamp(max(row.counted_at for row in found.values())))
    return report


def _units(call: Call, shown: set[UUID], found: Mapping[UUID, UnitCount]) -> Iterator[pb.UnitFigures]:
    """The units shown, those above first, each with what lies in it and below it, every customer once."""
    tree = call.trees.current()
    named = sorted(queries.names(call.session, shown), key=lambda unit: tree.parents[unit.id] in shown)
    for unit in named:
        counted, own = [found[below] for below in tree.below([unit.id]) if below in found], found.get(unit.id)
        yield pb.UnitFigures(
            unit_id=str(unit.id),
            parent_id=str(tree.parents[unit.id] or ""),
            name=unit.name,
            name_en=unit.name_en,
            customer_count=_sum(counted, "customers") - (own.customers_again if own else 0),
            recent_record_count=_sum(counted, "records"),
            uncontacted_count=_sum(counted, "uncontacted") - (own.uncontacted_again if own else 0),
        )


def _sum(counted: list[UnitCount], name: str) -> Any:
    return sum(getattr(row, name) for row in counted)
