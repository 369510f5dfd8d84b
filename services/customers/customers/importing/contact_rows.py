"""Rows that become contacts at customers within reach."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from uuid import UUID

from chassis import guard, ids, imports
from chassis.call import Call
from chassis.errors import DomainError
from chassis.import_rows import CREATED, UNCHANGED, UPDATED, Result
from chassis.imports import Importer, Row, refused
from customers import facts
from customers.contact import operations, present
from customers.contact.model import Contact
from customers.contact.operations import Place
from customers.customer.model import Customer
from customers.importing import cells, columns, parts, queries
from customers.refusals import refuse
from tongxiao.customers.v1 import contact_pb2 as pb

_PLAIN = ("name", "name_en", "mobile", "phone", "email", "wechat", "birthday", "note")
_AT_PLACE = ("role", "job_title", "department")


@dataclass(frozen=True)
class Known:
    """What the rows of a step refer to."""

    customers: Mapping[str, Sequence[UUID]]
    changeable: set[UUID]
    existing: Mapping[str, Contact]
    contacts_changeable: set[UUID]
    taken: set[str]
    present: Mapping[tuple[UUID, str], UUID]


def apply(call: Call, rows: Sequence[Row], update_by: str) -> list[Result]:
    """Create or change a contact for each row, as the caller might one by one."""
    parted = [parts.of_contact(row) for row in rows]
    people = [row for row, _ in parted if parts.is_company(row) is not True]
    known = _known(call, people, update_by)
    made: dict[int, Contact] = {}
    company = imports.passed_over(refuse("NOT_A_PERSON", field="is_company"))
    results = {row.number: company for row in rows}
    for row in people:
        try:
            results[row.number] = _applied(call, row, known, update_by=update_by, made=made)
        except DomainError as error:
            results[row.number] = refused(error)
    if made:
        operations.keep(call, list(made.values()))
    results |= {number: Result(CREATED, contact.id) for number, contact in made.items()}
    return [results[row.number] for row in rows]


CONTACTS = Importer(kind="contact", fields=(*columns.CONTACT, *columns.CONTACT_PARTS), apply=apply)


def _applied(call: Call, row: Row, known: Known, *, update_by: str, made: dict[int, Contact]) -> Result:
    given = pb.Contact()
    cells.fill(given, row.values, _PLAIN)
    existing = known.existing.get(row.values.get(update_by, "")) if update_by else None
    if existing:
        return _changed(call, existing, given, row, known)
    if not given.name:
        raise refuse("FIELD_MISSING", field="name")
    customer_id = _customer(row, known)
    place = given.places.add(customer_id=str(customer_id))
    cells.fill(place, row.values, _AT_PLACE)
    given.id = row.values.get("id", "")
    if faults := cells.faults_of(pb.CreateContactRequest(contact=given)):
        return faults
    if given.id in known.taken:
        raise refuse("ID_TAKEN", field="id")
    values = operations.checked({name: getattr(given, name) for name in (*_PLAIN, "email_consent", "phone_consent")})
    _demand_new(call, customer_id, values["mobile"], known, made)
    wanted = Place(customer_id, place.role, place.job_title, place.department)
    made[row.number] = operations.build(contact_id=ids.parse_id(given.id), values=values, places=[wanted])
    return Result(CREATED)


def _demand_new(call: Call, customer_id: UUID, mobile: str, known: Known, made: Mapping[int, Contact]) -> None:
    """Refuse CONTACT_EXISTS a mobile that somebody at the customer has, ROW_TWICE one of an earlier row of the step."""
    if found := known.present.get((customer_id, mobile)):
        raise present.refusal(call, found)
    for number, other in made.items():
        if mobile and (other.places[0].customer_id, other.mobile) == (customer_id, mobile):
            raise refuse("ROW_TWICE", field="mobile", row=number)


def _changed(call: Call, contact: Contact, given: pb.Contact, row: Row, known: Known) -> Result:
    if contact.id not in known.contacts_changeable:
        raise refuse("OUT_OF_REACH")
    names = [name for name in _PLAIN if name in row.values]
    request = pb.UpdateContactRequest(contact=given)
    request.update_mask.paths.extend(names)
    if faults := cells.faults_of(request):
        return faults
    before = contact.version
    changes = operations.editable(call, contact, {name: getattr(given, name) for name in names})
    operations.apply_changes(call, contact, changes)
    return Result(UPDATED if contact.version > before else UNCHANGED, contact.id)


def _customer(row: Row, known: Known) -> UUID:
    """The customer that a row names, by id, credit code or exact name. Refuses CUSTOMER_UNKNOWN and OUT_OF_REACH."""
    if "customer" not in row.values:
        raise refuse("FIELD_MISSING", field="customer")
    found = known.customers.get(row.values["customer"], ())
    if len(found) != 1:
        raise refuse("CUSTOMER_UNKNOWN", field="customer")
    if found[0] not in known.changeable:
        raise refuse("OUT_OF_REACH", field="customer")
    return found[0]


def _known(call: Call, rows: Sequence[Row], update_by: str) -> Known:
    session = call.session
    named = {row.values["customer"] for row in rows if "customer" in row.values}
    by_id, by_code = (queries.customers_by(session, key, named) for key in ("id", "credit_code"))
    exact = {name: [customer.id] for found in (by_code, by_id) for name, customer in found.items()}
    customers = {**queries.customer_ids_by_name(session, named), **exact}
    every = {customer_id for ids_ in customers.values() for customer_id in ids_}
    keys = {row.values["id"] for row in rows if "id" in row.values}
    existing = queries.contacts_by(session, keys) if update_by else {}
    mobiles = {facts.phone(row.values["mobile"]) for row in rows if "mobile" in row.values}
    return Known(
        customers=customers,
        changeable=guard.changeable(session, Customer, every),
        existing=existing,
        contacts_changeable=guard.changeable(session, Contact, [each.id for each in existing.values()]),
        taken=queries.taken_contact_ids(session, keys),
        present=present.found(call, every, mobiles),
    )
