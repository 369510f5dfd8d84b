"""Finding customers 搜索 by a fragment of a name, the code, initials or a contact's name, and by a phone or its end.

Indexes say what matches, reach apart; nothing of it is shown before reach.
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, Text, Uuid, and_, case, cast, func, literal, or_, select, tuple_
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.orm import Session

from chassis import tokens
from chassis.arrays import uuids
from chassis.call import Call
from chassis.caller import FieldAccess
from chassis.ids import NIL
from chassis.listing import Narrowing
from chassis.paging import DEFAULT_SIZE, MAX_SIZE
from chassis.search import Search
from customers import search
from customers.contact.model import Contact, ContactPlace
from customers.contact.queries import places_at
from customers.customer.model import Customer
from customers.customer.queries import LISTING, ORDERS, by_ids
from customers.refusals import refuse
from tongxiao.common.v1.permission_pb2 import PERMISSION_CONTACT_READ
from tongxiao.customers.v1 import customer_pb2 as pb

# Up to so many matches are ranked; of more, those by name follow in the order of names, walked within reach.
RARE = 2000
# Begins the keys of those that are not ranked.
_LAST = "9"
_CANDIDATES = {"reach": "candidates, narrowed by reach before use"}

Key = tuple[str, UUID]


@dataclass(frozen=True)
class Found:
    """What matches a query: by phones that the caller reads in clear, by contacts they read, by text if not many."""

    query: str
    by_phone: Sequence[UUID]
    by_contact: Sequence[UUID]
    by_text: Sequence[UUID] | None

    @property
    def ids(self) -> frozenset[UUID]:
        return frozenset((*self.by_phone, *self.by_contact, *(self.by_text or ())))


def search_customers(call: Call, request: pb.SearchCustomersRequest) -> tuple[list[list[Any]], str]:
    """A page of the customers within reach that a query finds, best first, and the next page's token.

    Refuses QUERY_TOO_SHORT.
    """
    query, ends = search.asked(request.query), search.phone_ends(request.query)
    if not query and not ends:
        raise refuse("QUERY_TOO_SHORT", field="query")
    mark, size = tokens.fingerprint(call, request), min(request.page_size or DEFAULT_SIZE, MAX_SIZE)
    after: Key = tokens.read_token(request.page_token, mark) if request.page_token else ("", NIL)
    found = Found(query, _by_phone(call, ends), _by_contact(call, query), _by_text(call.session, query))
    rows = _ranked(call.session, found, after, size + 1)
    if found.by_text is None and len(rows) <= size:
        rows += _others(call, found, after, size + 1 - len(rows))
    token = tokens.token_of(*rows[size - 1], mark) if len(rows) > size else ""
    return by_ids(call.session, [id_ for _, id_ in rows[:size]]), token


def _by_phone(call: Call, ends: Collection[str]) -> list[UUID]:
    """The customers within reach with a phone, read in clear, that ends so."""
    table: Any = Customer.__table__
    whole = func.array_to_string(table.c.phones, " ") + literal(" ")
    meant = [and_(_has_ending(table.c.phones, end), whole.contains(f"{end} ")) for end in ends]
    if not meant:
        return []
    wanted = select(table.c.id).where(or_(*meant), table.c.deleted_at.is_(None)).limit(RARE)
    found = set(call.session.scalars(wanted, execution_options=_CANDIDATES))
    lying = places_at(call.session, found) if found else {}
    return [id_ for id_, at in lying.items() if call.read_access("customer.phones", at) >= FieldAccess.READ]


def _has_ending(phones: ColumnElement[Any], end: str) -> ColumnElement[bool]:
    return func.phone_ends(phones).bool_op("&&")(cast([end[-search.SHORTEST_END :]], ARRAY(Text)))


def _by_contact(call: Call, query: str) -> Sequence[UUID]:
    """The customers with a contact, whom the caller reads, of such a name."""
    if not query or not call.caller.holds(PERMISSION_CONTACT_READ):
        return []
    names = Contact.name + " " + Contact.name_en
    wanted = select(ContactPlace.customer_id).join(Contact, Contact.id == ContactPlace.contact_id)
    wanted = wanted.where(Contact.deleted_at.is_(None), func.bigrams(names).bool_op("@>")(func.bigrams(query)))
    wanted = wanted.where(*(func.lower(names).contains(word, autoescape=True) for word in query.split()))
    with call.reading_as(PERMISSION_CONTACT_READ):
        return call.session.scalars(wanted.distinct().limit(RARE)).all()


def _by_text(session: Session, query: str) -> list[UUID] | None:
    """The ids of everything that holds the query's words, reach apart; nothing said where that is much."""
    if not query:
        return []
    table = Customer.__table__.c
    match = search.condition(table.search, table.search_text, query)
    matches = select(table.id).where(match, table.deleted_at.is_(None)).limit(RARE + 1).subquery()
    wanted = select(func.array_agg(matches.c.id, type_=ARRAY(Uuid))).having(func.count() <= RARE)
    few = session.execute(wanted, execution_options=_CANDIDATES).one_or_none()
    return list(few[0] or ()) if few else None


def _ranked(session: Session, found: Found, after: Key, limit: int) -> list[Key]:
    """The best of what was found and is within reach, after a place, in the order of rank and name."""
    if not found.ids or after[0].startswith(_LAST):
        return []
    key = _rank(found) + Customer.sort_name
    wanted = select(key, Customer.id).where(Customer.id == func.any(uuids(found.ids)), Customer.deleted_at.is_(None))
    wanted = wanted.where(tuple_(key, Customer.id) > tuple_(literal(after[0]), literal(after[1])))
    return [(row[0], row[1]) for row in session.execute(wanted.order_by(key, Customer.id).limit(limit))]


def _rank(found: Found) -> ColumnElement[str]:
    """Its code, a phone, the beginning of its name, of a word of it or of another name, within them, a contact."""
    query, told = found.query, Customer.search_text
    return case(
        (and_(Customer.credit_code == query.upper(), Customer.credit_code != ""), "0"),
        (Customer.id == func.any(uuids(found.by_phone)), "1"),
        (told.startswith(query, autoescape=True), "2"),
        (told.contains(f" {query}", autoescape=True), "3"),
        (told.contains(query, autoescape=True), "4"),
        else_="5",
    )


def _others(call: Call, found: Found, after: Key, limit: int) -> list[Key]:
    """What holds the query's words and was not ranked, by name."""
    ids, place = uuids(found.ids), (after[0][1:], after[1]) if after[0].startswith(_LAST) else None
    narrowing = Narrowing(
        entity=[
            lambda columns: search.condition(columns.search, columns.search_text, found.query),
            lambda columns: columns.id != func.all(ids),
        ]
    )
    rows = Search(LISTING, call.read_scope, ORDERS[pb.CUSTOMER_ORDER_NAME], narrowing, place, limit).rows(call.session)
    return [(_LAST + row.sort_key, row.id) for row in rows]
