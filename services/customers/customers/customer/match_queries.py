"""What a search matches, is within reach and ranks best, in one statement; each shape of it is built once."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any
from uuid import UUID

from sqlalchemy import (
    ColumnElement,
    Integer,
    Text,
    Uuid,
    and_,
    bindparam,
    case,
    cast,
    false,
    func,
    literal,
    select,
    true,
    tuple_,
    union,
)
from sqlalchemy.dialects.postgresql import ARRAY, TSQUERY
from sqlalchemy.orm import Session

from chassis.arrays import UuidArray, array_text
from chassis.database import ANEW
from chassis.reach import Scope
from chassis.reached import Shape, reached, values
from customers import search
from customers.contact.model import Contact, ContactPlace
from customers.customer.model import Customer
from customers.customer.queries import LISTING

# Up to so many matches are ranked; of more, those by name follow in the order of names, walked within reach.
RARE = 2000
Key = tuple[str, UUID]

_PATTERNS, _GRAMS = bindparam("patterns", type_=ARRAY(Text)), bindparam("grams", type_=Text())
_QUERY, _WORD, _CODE = (bindparam(name, type_=Text()) for name in ("query", "word", "code"))
_FOUND, _BY_PHONE = bindparam("found", type_=UuidArray()), bindparam("by_phone", type_=UuidArray())
_RARE, _LIMIT = bindparam("rare", type_=Integer()), bindparam("limit", type_=Integer())
_AFTER = tuple_(bindparam("after_key", type_=Text()), bindparam("after_id", type_=Uuid()))
_REACHED = {"reach": "as a condition of the statement itself", **ANEW}


@dataclass(frozen=True)
class Found:
    """What a query is, and what it finds but by text: by phones read in clear and by contacts who are read."""

    query: str
    by_phone: Sequence[UUID]
    by_contact: Sequence[UUID]

    @property
    def ids(self) -> frozenset[UUID]:
        return frozenset((*self.by_phone, *self.by_contact))


def holds(columns: Any) -> ColumnElement[bool]:
    """Whether the search text holds every word of the query: to be asked where most do."""
    held: ColumnElement[bool] = columns.search_text.bool_op("LIKE")(func.all(_PATTERNS))
    return held


def is_found(columns: Any) -> ColumnElement[bool]:
    """The same, by index."""
    return and_(columns.search.bool_op("@@")(cast(_GRAMS, TSQUERY)), holds(columns))


def is_other(columns: Any) -> ColumnElement[bool]:
    """Whether it was not found otherwise."""
    other: ColumnElement[bool] = columns.id != func.all(_FOUND)
    return other


def values_of(found: Found) -> dict[str, Any]:
    """What the names in these conditions stand for."""
    return {
        "patterns": search.patterns(found.query),
        "grams": search.tsquery(found.query),
        "found": array_text(found.ids),
    }


def best(
    session: Session, scope: Scope, found: Found, *, by_text: bool, after: Key, limit: int
) -> tuple[list[Key], bool]:
    """The best of what matches and is within reach, after a place, by rank and name; whether all by text is among it.

    Where more than RARE match by text, or that is not asked for, only what was found otherwise is ranked.
    """
    if not by_text and not found.ids:
        return [], False
    asked = {"query": found.query, "word": f" {found.query}", "code": found.query.upper()}
    known = {"by_phone": array_text(frozenset(found.by_phone)), "rare": RARE, "limit": limit}
    place = {"after_key": after[0], "after_id": after[1]}
    given = {**values(scope), **values_of(found), **asked, **known, **place}
    rows = session.execute(_best(Shape.of(scope), by_text, bool(found.ids)), given, execution_options=_REACHED).all()
    return [(row.key, row.id) for row in rows if row.id], by_text and rows[0].number <= RARE


@lru_cache(maxsize=64)
def _best(shape: Shape, by_text: bool, otherwise: bool) -> Any:
    """Their keys and ids, each with the number of matches by text; where none is within reach, that number alone."""
    columns = Customer.__table__.c
    ranked = select(columns.id, columns.sort_name, columns.search_text, columns.credit_code)
    ranked = ranked.where(columns.deleted_at.is_(None))
    texts = ranked.where(is_found(columns) if by_text else false()).limit(_RARE + 1).cte("matches")
    number = select(func.count().label("number")).select_from(texts).cte("counted")
    few = select(texts).where(select(number.c.number).scalar_subquery() <= _RARE)
    both = union(few, ranked.where(columns.id == func.any(_FOUND))) if otherwise else few
    matches = both.subquery("candidates")
    key = (_rank(matches.c) + matches.c.sort_name).label("key")
    within = select(key, matches.c.id).where(reached(LISTING, matches.c.id, shape), tuple_(key, matches.c.id) > _AFTER)
    page = within.order_by(key, matches.c.id).limit(_LIMIT).subquery("page")
    joined = number.outerjoin(page, true())
    return select(number.c.number, page.c.key, page.c.id).select_from(joined).order_by(page.c.key, page.c.id)


def _rank(columns: Any) -> ColumnElement[str]:
    """Its code, a phone, the beginning of its name, of a word of it or of another name, within them, a contact."""
    return case(
        (and_(columns.credit_code == _CODE, columns.credit_code != ""), "0"),
        (columns.id == func.any(_BY_PHONE), "1"),
        (func.starts_with(columns.search_text, _QUERY), "2"),
        (func.strpos(columns.search_text, _WORD) > 0, "3"),
        (func.strpos(columns.search_text, _QUERY) > 0, "4"),
        else_="5",
    )


def by_name(session: Session, scope: Scope, found: Found, *, after: Key, limit: int) -> Sequence[Any]:
    """What matches by text alone and is within reach, after a place, by name: of all matches, each looked at."""
    given = {**values(scope), **values_of(found), "after_key": after[0], "after_id": after[1], "limit": limit}
    return session.execute(_by_name(Shape.of(scope)), given, execution_options=_REACHED).all()


@lru_cache(maxsize=64)
def _by_name(shape: Shape) -> Any:
    columns = Customer.__table__.c
    key, id_ = columns.sort_name.label("sort_key"), columns.id
    found = select(key, id_).where(is_found(columns), is_other(columns), columns.deleted_at.is_(None))
    matches = found.where(tuple_(columns.sort_name, id_) > _AFTER).cte("matches").prefix_with("MATERIALIZED")
    wanted = select(matches.c.sort_key, matches.c.id).where(reached(LISTING, matches.c.id, shape))
    return wanted.order_by(matches.c.sort_key, matches.c.id).limit(_LIMIT)


def by_contact(session: Session, scope: Scope, query: str) -> Sequence[UUID]:
    """The customers with a contact of such a name within a reach."""
    given = {**values(scope), "query": query, "patterns": search.patterns(query), "rare": RARE}
    return session.scalars(_by_contact(Shape.of(scope)), given, execution_options=_REACHED).all()


@lru_cache(maxsize=64)
def _by_contact(shape: Shape) -> Any:
    contact, place = Contact.__table__.c, ContactPlace.__table__.c
    names = contact.name + literal(" ") + contact.name_en
    wanted = select(place.customer_id).where(place.contact_id == contact.id, contact.deleted_at.is_(None))
    wanted = wanted.where(func.bigrams(names).bool_op("@>")(func.bigrams(_QUERY)))
    wanted = wanted.where(func.lower(names).bool_op("LIKE")(func.all(_PATTERNS)))
    return wanted.where(reached(LISTING, place.customer_id, shape)).distinct().limit(_RARE)
