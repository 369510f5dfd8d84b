"""GetCustomerOverview: one call for everything that belongs to a customer, each part within its own permission."""

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from uuid import UUID

from chassis import clock
from chassis.call import Call
from customers import people
from customers.contact import api as contacts_api
from customers.contact import queries as contacts
from customers.contact_record import api as records_api
from customers.contact_record import queries as records
from customers.customer import messages
from customers.customer import queries as customers
from tongxiao.common.v1.permission_pb2 import Permission
from tongxiao.customers.v1 import customer_pb2 as pb

RECORDS, RECENT_DAYS = 20, 90


def get_customer_overview(request: pb.GetCustomerOverviewRequest, call: Call) -> pb.CustomerOverview:
    customer_id = UUID(request.id)
    customer = customers.get_customer(call.session, customer_id)
    overview = pb.CustomerOverview(
        customer=messages.customer_message(customer, call),
        shares=[messages.share_message(share) for share in customers.shares_of(call.session, customer_id)],
        assignment_history=[
            messages.period_message(period) for period in customers.periods_of(call.session, customer_id)
        ],
        subsidiaries=[
            messages.customer_message(found, call) for found in customers.subsidiaries_of(call.session, customer_id)
        ],
    )
    _add_contacts(overview, customer_id, call)
    _add_records(overview, customer_id, call)
    overview.people.extend(_people(overview, call))
    return overview


def _add_contacts(overview: pb.CustomerOverview, customer_id: UUID, call: Call) -> None:
    with _reading(Permission.PERMISSION_CONTACT_READ, customer_id, call) as held:
        if held:
            found = contacts.contacts_of(call.session, customer_id)
            overview.contacts.extend(contacts_api.to_messages(found, call, known={customer_id}))
        elif held is None:
            overview.withheld.append("contacts")


def _add_records(overview: pb.CustomerOverview, customer_id: UUID, call: Call) -> None:
    since = clock.now() - timedelta(days=RECENT_DAYS)
    with _reading(Permission.PERMISSION_CONTACT_RECORD_READ, customer_id, call) as held:
        if held:
            found, recent = records.newest_of(call.session, customer_id, limit=RECORDS, since=since)
            overview.contact_records.extend(records_api.to_message(record) for record in found)
            overview.recent_contact_count = recent
        elif held is None:
            overview.withheld.append("contactRecords")


@contextmanager
def _reading(permission: Permission.ValueType, customer_id: UUID, call: Call) -> Iterator[bool | None]:
    """Read under a permission: whether the customer is within its reach too; None where the caller lacks it."""
    if not call.caller.holds(permission):
        yield None
        return
    alike = call.reads_alike(permission)
    with call.reading_as(permission):
        yield alike or customers.is_readable(call.session, customer_id)


def _people(overview: pb.CustomerOverview, call: Call) -> Iterable[pb.Person]:
    """Everybody whom the overview names by id."""
    named = {assignment.owner_id for assignment in overview.customer.assignments}
    named |= {share.person_id for share in overview.shares} | {share.shared_by for share in overview.shares}
    named |= {record.author_id for record in overview.contact_records}
    for period in overview.assignment_history:
        named |= {period.owner_id, period.assigned_by}
    for person in people.named(call.session, [UUID(person_id) for person_id in named if person_id]):
        yield pb.Person(
            id=str(person.id),
            name=person.name,
            name_en=person.name_en,
            unit_id=str(person.unit_id or ""),
            unit_name=person.unit_name or "",
        )
