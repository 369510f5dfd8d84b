"""Grants: what somebody's posts allow today, as far as their token's realm roles bear it out."""

from collections.abc import Collection, Iterable
from uuid import UUID

from sqlalchemy.orm import Session

from chassis.caller import FieldAccess, Grant
from identity.post import holding_queries as holdings
from identity.post.holding_queries import Holding
from identity.role.catalogue import numbers_of


def effective(session: Session, employee_id: UUID, realm_roles: Collection[str]) -> list[Grant]:
    """The grants of tenures and posts valid today whose level's realm role the token lists."""
    return [grant_of(holding) for holding in _held(session, employee_id) if holding.role.realm_role in realm_roles]


def all_of(session: Session, employee_id: UUID) -> list[Grant]:
    """The grants of tenures and posts valid today, whatever any token says."""
    return [grant_of(holding) for holding in _held(session, employee_id)]


def _held(session: Session, employee_id: UUID) -> list[Holding]:
    return one_per_post(holdings.of_people(session, [employee_id]))


def one_per_post(held: Iterable[Holding]) -> list[Holding]:
    """Holdings without those of a post that is held twice over: the longer one counts."""
    best: dict[UUID, Holding] = {}
    for holding in held:
        known = best.get(holding.post.id)
        if known is None or (known.until and (holding.until is None or holding.until > known.until)):
            best[holding.post.id] = holding
    return list(best.values())


def grant_of(holding: Holding) -> Grant:
    role = holding.role
    return Grant(
        post_id=holding.post.id,
        unit_id=holding.post.unit_id,
        governs=tuple(holding.post.governed_unit_ids),
        permissions=numbers_of(role.permissions),
        field_rights={name: FieldAccess(access) for name, access in role.field_rights.items()},
        until=holding.until,
    )
