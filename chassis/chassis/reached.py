"""Whether a record lies within reach, by values bound by name: a statement of many rows is built once for everybody."""

from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, Select, Uuid, bindparam, false, func, or_, select, true

from chassis import schema
from chassis.arrays import UuidArray, array_text
from chassis.listing import Listing
from chassis.reach import Scope

PERSON = bindparam("person_id", type_=Uuid())
OWN, GOVERNED = bindparam("own", type_=UuidArray()), bindparam("governed", type_=UuidArray())


@dataclass(frozen=True)
class Shape:
    """Which parts the reach of a scope has, apart from the values in them."""

    everything: bool
    own: bool
    governed: bool
    shared: bool

    @classmethod
    def of(cls, scope: Scope) -> "Shape":
        own = bool(scope.own_units - scope.governed_units)
        return cls(scope.everything, own, bool(scope.governed_units), bool(scope.sharee))


def values(scope: Scope) -> dict[str, Any]:
    """What the names in `reached` stand for. One's own rows in governed units are reached with all there."""
    return {
        "person_id": scope.person_id,
        "own": array_text(scope.own_units - scope.governed_units),
        "governed": array_text(scope.governed_units),
    }


def reached(listing: Listing, key: Any, shape: Shape) -> ColumnElement[bool]:
    """Whether the live record with this key is owned, governed or shared.

    Each part by itself: what is little, as one's own, is then read once and not for every row.
    """
    if shape.everything:
        return true()
    carrier = listing.carrier.__table__.alias()
    of_key = select(1).where(carrier.c[listing.key] == key, carrier.c.deleted_at.is_(None))
    own = [of_key.where(carrier.c.owner_id == PERSON, carrier.c.unit_id == func.any(OWN)).exists()] if shape.own else []
    governed = [of_key.where(carrier.c.unit_id == func.any(GOVERNED)).exists()] if shape.governed else []
    return or_(false(), *own, *governed, *([key.in_(shared_with_caller(listing))] if shape.shared else []))


def shared_with_caller(listing: Listing) -> Select[Any]:
    """The keys of the single records that are shared with the caller at present."""
    access = schema.access.c
    lasting = or_(access.expires_at.is_(None), access.expires_at > func.now())
    return select(access.entity_id).where(access.person_id == PERSON, access.entity == listing.shared_as, lasting)
