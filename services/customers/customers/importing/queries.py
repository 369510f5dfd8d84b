"""What the rows of a step refer to, looked up for all of them at once."""

from collections.abc import Collection, Iterable
from uuid import UUID

from sqlalchemy import ARRAY, Text, and_, cast, func, or_, select
from sqlalchemy.orm import Session, selectinload

from chassis import schema
from customers import people, search
from customers.contact.model import Contact
from customers.customer.model import Customer
from customers.people import Colleague

_NAMES = {"reach": "names of colleagues and units, which the directory shows everybody"}
_TAKEN = {"reach": "whether an id is taken; no more is said"}


def customers_by(session: Session, field: str, values: Collection[str]) -> dict[str, Customer]:
    """The customers within reach that are not deleted, by id or credit code."""
    column = {"id": Customer.id, "credit_code": Customer.credit_code}[field]
    keys = _uuids(values) if field == "id" else list(values)
    wanted = select(Customer).where(column.in_(keys), Customer.deleted_at.is_(None))
    found = session.scalars(wanted.options(selectinload(Customer.assignments)))
    return {str(getattr(customer, field)): customer for customer in found}


def customer_ids_by_name(session: Session, names: Collection[str]) -> dict[str, list[UUID]]:
    """The ids of customers within reach by their exact names."""
    keys = [search.sort_key(name) for name in names]
    wanted = select(Customer.name, Customer.id).where(Customer.sort_name.in_(keys), Customer.deleted_at.is_(None))
    found: dict[str, list[UUID]] = {}
    for name, customer_id in session.execute(wanted):
        found.setdefault(name, []).append(customer_id)
    return found


def named_alike(session: Session, names: Collection[str]) -> set[str]:
    """Those of the names that a customer within reach has too, apart from letter forms and legal suffixes."""
    sought = func.unnest(cast(list(names), ARRAY(Text))).table_valued("name", name="sought").render_derived()
    same = and_(Customer.name_key == func.name_key(sought.c.name), Customer.name_key != "")
    wanted = select(sought.c.name, Customer.id).join(Customer, same).where(Customer.deleted_at.is_(None))
    return {name for name, _ in session.execute(wanted)}


def taken_ids(session: Session, ids: Iterable[str]) -> set[str]:
    wanted = select(Customer.id).where(Customer.id.in_(_uuids(ids)))
    return {str(found) for found in session.scalars(wanted.execution_options(**_TAKEN))}


def contacts_by(session: Session, ids: Collection[str]) -> dict[str, Contact]:
    """The contacts within reach that are not deleted, by id."""
    wanted = select(Contact).where(Contact.id.in_(_uuids(ids)), Contact.deleted_at.is_(None))
    return {str(contact.id): contact for contact in session.scalars(wanted.options(selectinload(Contact.places)))}


def taken_contact_ids(session: Session, ids: Collection[str]) -> set[str]:
    wanted = select(Contact.id).where(Contact.id.in_(_uuids(ids)))
    return {str(found) for found in session.scalars(wanted.execution_options(**_TAKEN))}


def colleagues_by_number_or_name(session: Session, named: Collection[str]) -> dict[str, list[Colleague]]:
    """The colleagues whom each text names, by their number, their name or their English one."""
    table = schema.org_people.c
    columns = (table.number, table.name, table.name_en)
    wanted = select(table.id).where(or_(*(column.in_(named) for column in columns)))
    found: dict[str, list[Colleague]] = {}
    for each in people.find_all(session, session.scalars(wanted, execution_options=_NAMES)).values():
        for text in {each.number, each.name, each.name_en} & set(named):
            found.setdefault(text, []).append(each)
    return found


def units_by_code(session: Session, codes: Collection[str]) -> dict[str, UUID]:
    table = schema.org_units.c
    rows = session.execute(select(table.code, table.id).where(table.code.in_(codes)), execution_options=_NAMES)
    return {row.code: row.id for row in rows}


def _uuids(values: Iterable[str]) -> list[UUID]:
    found = []
    for value in values:
        try:
            found.append(UUID(value))
        except ValueError:
            continue
    return found
