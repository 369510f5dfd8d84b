"""Finding customers 搜索 by a fragment of a name, the code, initials or a contact's name, and by a phone or its end.

Indexes say what matches, reach apart; nothing of it is shown before reach.
"""

import math
from collections.abc import Collection, Sequence
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, Text, and_, cast, func, literal, or_, select
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.orm import Session

from chassis import tokens
from chassis.call import Call
from chassis.caller import FieldAccess
from chassis.ids import NIL
from chassis.listing import Narrowing
from chassis.paging import DEFAULT_SIZE, MAX_SIZE
from chassis.reach import Scope
from chassis.search import Search
from customers import search
from customers.contact.queries import places_at
from customers.customer import common_queries, match_queries
from customers.customer.common_queries import Statistics
from customers.customer.match_queries import Found, Key
from customers.customer.model import Customer
from customers.customer.queries import LISTING, ORDERS, by_ids
from customers.refusals import refuse
from tongxiao.common.v1.permission_pb2 import PERMISSION_CONTACT_READ
from tongxiao.customers.v1 import customer_pb2 as pb

# Begins the keys of those that are not ranked.
_LAST = "9"
_CANDIDATES = {"reach": "candidates, narrowed by reach before use"}
# Of what is reached, this many times more is looked at than a page should need.
_AMPLE = 1.25


def search_customers(call: Call, request: pb.SearchCustomersRequest) -> tuple[list[list[Any]], str]:
    """A page of the customers within reach that a query finds, best first, and the next page's token.

    Refuses QUERY_TOO_SHORT.
    """
    query, ends = search.asked(request.query), search.phone_ends(request.query)
    if not query and not ends:
        raise refuse("QUERY_TOO_SHORT", field="query")
    mark, size = tokens.fingerprint(call, request), min(request.page_size or DEFAULT_SIZE, MAX_SIZE)
    after: Key = tokens.read_token(request.page_token, mark) if request.page_token else ("", NIL)
    rows = _rows(call, Found(query, _by_phone(call, ends), _by_contact(call, query)), after, size + 1)
    token = tokens.token_of(*rows[size - 1], mark) if len(rows) > size else ""
    return by_ids(call.session, [id_ for _, id_ in rows[:size]]), token


def _rows(call: Call, found: Found, after: Key, limit: int) -> list[Key]:
    """The best of what matches; where too much does to rank it, then the others."""
    known = common_queries.statistics(call.session)
    rows: list[Key] = []
    if not after[0].startswith(_LAST):
        by_text = bool(found.query) and not known.is_common(found.query)
        rows, whole = match_queries.best(
            call.session, call.read_scope, found, by_text=by_text, after=after, limit=limit
        )
        if whole or not found.query or len(rows) == limit:
            return rows
    return rows + _others(call, found, known, after, limit - len(rows))


def _by_phone(call: Call, ends: Collection[str]) -> list[UUID]:
    """The customers within reach with a phone, read in clear, that ends so."""
    table: Any = Customer.__table__
    whole = func.array_to_string(table.c.phones, " ") + literal(" ")
    meant = [and_(_has_ending(table.c.phones, end), whole.contains(f"{end} ")) for end in ends]
    if not meant:
        return []
    wanted = select(table.c.id).where(or_(*meant), table.c.deleted_at.is_(None)).limit(match_queries.RARE)
    found = set(call.session.scalars(wanted, execution_options=_CANDIDATES))
    lying = places_at(call.session, found) if found else {}
    return [id_ for id_, at in lying.items() if call.read_access("customer.phones", at) >= FieldAccess.READ]


def _has_ending(phones: ColumnElement[Any], end: str) -> ColumnElement[bool]:
    return func.phone_ends(phones).bool_op("&&")(cast([end[-search.SHORTEST_END :]], ARRAY(Text)))


def _by_contact(call: Call, query: str) -> Sequence[UUID]:
    """The customers with a contact, whom the caller reads, of such a name."""
    if not query or not call.caller.holds(PERMISSION_CONTACT_READ):
        return []
    return match_queries.by_contact(call.session, call.scope(PERMISSION_CONTACT_READ), query)


def _others(call: Call, found: Found, known: Statistics, after: Key, limit: int) -> list[Key]:
    """What holds the query's words and was not ranked, by name.

    To walk what is reached takes as many rows as hold a page of matches; fewer than those, all matches are looked at.
    """
    scope, share = call.read_scope, known.expected(found.query)
    place = (after[0][1:], after[1]) if after[0].startswith(_LAST) else None
    walked = scope.everything or not scope.governed or share * known.live > limit / (share or 1)
    if walked:
        rows = _walked(call.session, scope, found, place, limit, share=share)
    else:
        rows = match_queries.by_name(call.session, scope, found, after=place or ("", NIL), limit=limit)
    return [(_LAST + row.sort_key, row.id) for row in rows]


def _walked(
    session: Session, scope: Scope, found: Found, after: Key | None, limit: int, *, share: float
) -> Sequence[Any]:
    holds = match_queries.is_found if scope.everything else match_queries.holds
    narrowing = Narrowing(
        entity=[holds, match_queries.is_other],
        values=match_queries.values_of(found),
        stretch=math.ceil(limit / share * _AMPLE) if share else 0,
    )
    return Search(LISTING, scope, ORDERS[pb.CUSTOMER_ORDER_NAME], narrowing, after, limit).rows(session)
