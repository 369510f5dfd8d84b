"""GetCustomerOverview: one call for everything that belongs to a customer, each part within its own permission."""

from collections.abc import Iterable
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
    if not call.caller.holds(Permission.PERMISSION_CONTACT_READ):
        overview.withheld.append("contacts")
        return
    with call.reading_as(Permission.PERMISSION_CONTACT_READ):
        found = contacts.contacts_of(call.session, customer_id)
        overview.contacts.extend(contacts_api.to_messages(found, call))


def _add_records(overview: pb.CustomerOverview, customer_id: UUID, call: Call) -> None:
    if not call.caller.holds(Permission.PERMISSION_CONTACT_RECORD_READ):
        overview.withheld.append("contactRecords")
        return
    with call.reading_as(Permission.PERMISSION_CONTACT_RECORD_READ):
        found = records.newest_of(call.session, customer_id, limit=RECORDS)
        overview.contact_records.extend(records_api.to_message(record) for record in found)
        overview.recent_contact_count = records.count_since(
            call.session, customer_id, now=clock.now(), days=RECENT_DAYS
        )


def _people(overview: pb.CustomerOverview, call: Call) -> Iterable[pb.Person]:
    """Everybody whom the overview names by id."""
    named = {assignment.owner_id for assignment in overview.customer.assignments}
    named |= {share.person_id for share in overview.shares} | {share.shared_by for share in overview.shares}
    named |= {record.author_id for record in overview.contact_records}
    for period in overview.assignment_history:
        named |= {period.owner_id, period.assigned_by}
    found = people.find_all(call.session, [UUID(person_id) for person_id in named if person_id])
    units = people.unit_names(call.session, {person.unit_id for person in found.values() if person.unit_id})
    for person in sorted(found.values(), key=lambda person: person.id):
        yield pb.Person(
            id=str(person.id),
            name=person.name,
            name_en=person.name_en,
            unit_id=str(person.unit_id or ""),
            unit_name=units.get(person.unit_id, "") if person.unit_id else "",
        )
