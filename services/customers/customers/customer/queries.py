"""Every select of customers."""

from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Select, Text, Uuid, bindparam, cast, exists, func, select, tuple_
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.orm import Session, joinedload, selectinload

from chassis import ids, paging, schema
from chassis.arrays import UuidArray, array_text, uuids
from chassis.call import Call
from chassis.errors import DomainError
from chassis.listing import Condition, Listing, Narrowing, Order
from customers import facts, people
from customers.customer.model import Assignment, AssignmentPeriod, Customer, Share
from customers.refusals import refuse
from customers.saved_filter import queries as saved_filters
from tongxiao.customers.v1 import customer_pb2 as pb

LISTING = Listing(Customer, Assignment, "customer_id", shared_as="customer")
ORDERS = {
    pb.CUSTOMER_ORDER_UNSPECIFIED: Order("create_time", "created_at", descending=True),
    pb.CUSTOMER_ORDER_CREATE_TIME_DESC: Order("create_time", "created_at", descending=True),
    pb.CUSTOMER_ORDER_LAST_CONTACT_TIME_DESC: Order("last_contact_time", "last_contact_at", descending=True),
    pb.CUSTOMER_ORDER_NAME: Order("name", "sort_name"),
}
OLDEST, LATEST = Order("create_time", "created_at"), Order("start_time", "started_at", descending=True)
# What belongs to one customer is reached through it: whoever has read the customer need not ask again for each part.
OF_REACHED = {"reach": "through a customer that was read"}


def get_customer(session: Session, customer_id: UUID, *, deleted: bool = False) -> Customer:
    """The customer, with assignments, if the caller may read it; else NOT_FOUND, or NOT_YET_KNOWN if it may be new.

    One that was merged into a customer within reach is refused with MERGED_INTO and that one's id.
    """
    found = find_customer(session, customer_id)
    if found is None or (found.deleted_at and not deleted):
        raise missing(session, customer_id, "NOT_FOUND")
    return found


def missing(session: Session, customer_id: UUID, reason: str, *, field: str = "") -> DomainError:
    """The refusal of a customer that is not there for the caller: MERGED_INTO, with where it went, if that is."""
    if (winner_id := merged_into(session, customer_id)) and is_readable(session, winner_id):
        return refuse("MERGED_INTO", field=field, customer_id=winner_id)
    return refuse.unknown(reason, customer_id, field=field)


def merged_into(session: Session, customer_id: UUID) -> UUID | None:
    """The customer that this one is now, however often it was merged on; reach apart."""
    table = Customer.__table__.c
    up = select(table.id, table.merged_into_id).where(table.id == customer_id).cte(recursive=True)
    up = up.union(select(table.id, table.merged_into_id).where(table.id == up.c.merged_into_id))
    last = select(up.c.id).where(up.c.merged_into_id.is_(None), up.c.id != customer_id)
    return session.scalar(last, execution_options={"reach": "where a merged customer went, read before it is told"})


_OF_CUSTOMER = bindparam("customer_id", type_=Uuid())
_ONE = select(Customer).where(Customer.id == _OF_CUSTOMER).options(joinedload(Customer.assignments))
_LOCKED = _ONE.with_for_update(of=Customer)


def find_customer(session: Session, customer_id: UUID, *, lock: bool = False) -> Customer | None:
    """The customer, if the caller may read it, deleted or not; `lock` until the end of the transaction."""
    return session.scalars(_LOCKED if lock else _ONE, {"customer_id": customer_id}).unique().one_or_none()


def is_taken(session: Session, customer_id: UUID) -> bool:
    """Whether any customer has this id, within reach or beyond."""
    wanted = select(Customer.id).where(Customer.id == customer_id)
    return session.scalar(wanted.execution_options(reach="whether an id is taken; no more is said")) is not None


def is_readable(session: Session, customer_id: UUID) -> bool:
    wanted = select(Customer.id).where(Customer.id == customer_id, Customer.deleted_at.is_(None))
    return session.scalar(wanted) is not None


def ancestors(session: Session, customer_id: UUID) -> set[UUID]:
    """A customer and its parents upward, reach apart: only for refusing a circle."""
    table = Customer.__table__.c
    up = select(table.id, table.parent_id).where(table.id == customer_id).cte(recursive=True)
    up = up.union(select(table.id, table.parent_id).where(table.id == up.c.parent_id))
    return set(session.scalars(select(up.c.id), execution_options={"reach": "refusing a circle of parents"}))


def count_in_unit(session: Session, unit_id: UUID) -> int:
    """How many customers, deleted ones apart, are owned in a unit itself."""
    wanted = select(func.count(Assignment.customer_id.distinct()))
    return session.scalar(wanted.where(Assignment.unit_id == unit_id, Assignment.deleted_at.is_(None))) or 0


def open_periods(session: Session, assignments: Sequence[Assignment]) -> Sequence[AssignmentPeriod]:
    """The stretches of assignments that go on."""
    lines = [(assignment.customer_id, assignment.line_id) for assignment in assignments]
    line = tuple_(AssignmentPeriod.customer_id, AssignmentPeriod.line_id)
    return session.scalars(select(AssignmentPeriod).where(line.in_(lines), AssignmentPeriod.ended_at.is_(None))).all()


_NOT_SHOWN = {"search", "search_text", "sort_name", "created_by", "displaced_contact_on", "displaced_at"}


def _page_rows() -> Select[Any]:
    customer, assignment = Customer.__table__, Assignment.__table__
    shown = [column for column in customer.c if column.name not in _NOT_SHOWN]
    owned = [assignment.c[name] for name in ("line_id", "owner_id", "unit_id", "since")]
    joined = customer.outerjoin(assignment, assignment.c.customer_id == customer.c.id)
    wanted = select(*shown, *owned).select_from(joined).order_by(assignment.c.line_id)
    return wanted.where(customer.c.id == func.any(bindparam("ids", type_=UuidArray())))


_PAGE_ROWS = _page_rows()


def by_ids(session: Session, customer_ids: Sequence[UUID]) -> list[list[Any]]:
    """The customers of a page, in its order, each as its rows: one an assignment, which repeats the customer.

    The page's arms have applied reach already. Making objects of them would take longer than all the rest of a list.
    """
    found: dict[UUID, list[Any]] = {}
    values = {"ids": array_text(frozenset(customer_ids))}
    for row in session.execute(_PAGE_ROWS, values, execution_options={"reach": "ids from a page"}):
        found.setdefault(row.id, []).append(row)
    return [found[customer_id] for customer_id in customer_ids if customer_id in found]


def objects_by_ids(session: Session, customer_ids: Sequence[UUID]) -> list[Customer]:
    """The customers of a page, in its order, as objects: for what looks at more of them than a list shows."""
    wanted = select(Customer).where(Customer.id == func.any(uuids(customer_ids)))
    statement = wanted.options(joinedload(Customer.assignments)).execution_options(reach="ids from a page")
    found = {customer.id: customer for customer in session.scalars(statement).unique()}
    return [found[customer_id] for customer_id in customer_ids if customer_id in found]


def page_of(call: Call, request: pb.ListCustomersRequest) -> paging.Page:
    """A page of the customers within reach, as ids."""
    given, order = saved_filters.applied(call, request)
    narrowing = narrowing_of(call, given)
    return paging.page(call, LISTING, order=ORDERS[request.order or order], narrowing=narrowing, request=request)


def list_customers(call: Call, request: pb.ListCustomersRequest) -> tuple[list[list[Any]], str]:
    """A page of the customers within reach, and the next page's token."""
    page = page_of(call, request)
    return by_ids(call.session, page.ids), page.next_token


def count_customers(call: Call, request: pb.CountCustomersRequest) -> tuple[int, bool]:
    """How many customers within reach, exact to 1,000, and whether there are more."""
    order, (given, _) = ORDERS[pb.CUSTOMER_ORDER_UNSPECIFIED], saved_filters.applied(call, request)
    return paging.count(call, LISTING, order=order, narrowing=narrowing_of(call, given))


def narrowing_of(call: Call, given: pb.CustomerFilter) -> Narrowing:
    """What a filter narrows a list to. Refuses FIELD_NOT_READABLE a filter on a field not read in clear."""
    narrowing = Narrowing(owner_id=ids.parse_id(given.owner_id))
    if given.unit_id:
        narrowing.units = call.trees.current().below([UUID(given.unit_id)])
    if line_id := ids.parse_id(given.line_id):
        narrowing.carrier.append(lambda c: c.line_id == line_id)
    narrowing.entity = [*_kinds(given), *_beginnings(given), *_days(call, given), *_marks(call, given)]
    return narrowing


def _kinds(given: pb.CustomerFilter) -> Iterator[Condition]:
    for column, values in (("tier", given.tiers), ("source", given.sources), ("size", given.sizes)):
        if values:
            yield _among(column, list(values))


def _beginnings(given: pb.CustomerFilter) -> Iterator[Condition]:
    for column, prefix in (("industry", given.industry), ("division_code", given.division_code)):
        if prefix:
            yield _beginning(column, prefix)


def _days(call: Call, given: pb.CustomerFilter) -> Iterator[Condition]:
    before = facts.checked_day(given.last_contact_before_date, field="filter.last_contact_before_date")
    by = facts.checked_day(given.next_contact_by_date, field="filter.next_contact_by_date")
    if before:
        start = people.start_of_day(call.session, call.caller.person_id, before)
        yield lambda c: c.last_contact_at < start
    if by:
        yield lambda c: c.next_contact_on <= by


def _marks(call: Call, given: pb.CustomerFilter) -> Iterator[Condition]:
    if given.tag:
        yield lambda c: c.tags.contains(cast([given.tag], ARRAY(Text)))
    if parent_id := ids.parse_id(given.parent_id):
        yield lambda c: c.parent_id == parent_id
    if given.phone:
        call.demand_readable("customer.phones", field="filter.phone")
        phone = facts.checked_phone(given.phone, field="filter.phone")
        yield lambda c: c.phones.contains(cast([phone], ARRAY(Text)))


def _among(column: str, values: list[int]) -> Condition:
    return lambda columns: columns[column].in_(values)


def _beginning(column: str, prefix: str) -> Condition:
    return lambda columns: columns[column].startswith(prefix)


def share_of(session: Session, customer_id: UUID, share_id: UUID) -> Share:
    """A share of a customer within reach."""
    wanted = select(Share).where(Share.id == share_id, Share.customer_id == customer_id)
    found = session.scalars(wanted).one_or_none()
    if found is None:
        raise refuse("NOT_FOUND")
    return found


def find_share(session: Session, customer_id: UUID, person_id: UUID) -> Share | None:
    """The share of a customer within reach with a person."""
    wanted = select(Share).where(Share.customer_id == customer_id, Share.person_id == person_id)
    return session.scalars(wanted).one_or_none()


def share_by_id(session: Session, share_id: UUID) -> Share | None:
    """The share, of a customer within reach."""
    return session.scalars(select(Share).where(Share.id == share_id)).one_or_none()


def is_share_taken(session: Session, share_id: UUID) -> bool:
    wanted = select(Share.id).where(Share.id == share_id)
    return session.scalar(wanted.execution_options(reach="whether an id is taken; no more is said")) is not None


def share_expiry(session: Session, share_id: UUID) -> datetime | None:
    """When a share ends; never where nothing is said."""
    access = schema.access.c
    wanted = select(access.expires_at).where(access.source == "share", access.source_id == share_id)
    return session.scalar(wanted, execution_options={"reach": "until when a share within reach counts"})


def list_shares(call: Call, request: pb.ListSharesRequest) -> tuple[Sequence[Share], str]:
    """A page of those with whom a customer within reach is shared at present, oldest first."""
    wanted = select(Share).where(Share.customer_id == get_customer(call.session, UUID(request.customer_id)).id)
    return paging.Cursor(call, request, OLDEST).page(call.session, wanted, Share)


def list_periods(call: Call, request: pb.ListAssignmentHistoryRequest) -> tuple[Sequence[AssignmentPeriod], str]:
    """A page of who has owned a customer within reach, per line, newest first."""
    customer_id = get_customer(call.session, UUID(request.customer_id)).id
    wanted = select(AssignmentPeriod).where(AssignmentPeriod.customer_id == customer_id)
    return paging.Cursor(call, request, LATEST).page(call.session, wanted, AssignmentPeriod)


_SHARES = (
    select(Share.__table__).where(Share.customer_id == _OF_CUSTOMER).order_by(Share.created_at, Share.id).limit(200)
)
_PERIODS = (
    select(AssignmentPeriod.__table__)
    .where(AssignmentPeriod.customer_id == _OF_CUSTOMER)
    .order_by(AssignmentPeriod.started_at.desc(), AssignmentPeriod.id.desc())
    .limit(200)
)


def shares_of(session: Session, customer_id: UUID) -> Sequence[Any]:
    """Whom a customer within reach is shared with at present, oldest first, as rows."""
    return session.execute(_SHARES, {"customer_id": customer_id}, execution_options=OF_REACHED).all()


def periods_of(session: Session, customer_id: UUID) -> Sequence[Any]:
    """Who has owned a customer within reach, per line, newest first, as rows."""
    return session.execute(_PERIODS, {"customer_id": customer_id}, execution_options=OF_REACHED).all()


_IS_PARENT = select(exists().where(Customer.__table__.c.parent_id == _OF_CUSTOMER))
_WHETHER_PARENT = {"reach": "whether it is worth asking who is within reach; no more is said"}


def subsidiaries_of(session: Session, customer_id: UUID) -> Sequence[Customer]:
    """The customers within reach whose parent a customer is, by name, 50 at most."""
    if not session.scalar(_IS_PARENT, {"customer_id": customer_id}, execution_options=_WHETHER_PARENT):
        return []
    wanted = select(Customer).where(Customer.parent_id == customer_id, Customer.deleted_at.is_(None))
    statement = wanted.order_by(Customer.sort_name).limit(50).options(selectinload(Customer.assignments))
    return session.scalars(statement).all()
