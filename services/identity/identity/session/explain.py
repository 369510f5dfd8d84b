"""Why somebody may or may not: which post and role, through which unit, until when; or what stands in the way."""

from collections.abc import Iterator
from dataclasses import dataclass
from uuid import UUID

from chassis import clock
from chassis.call import Call
from chassis.ids import parse_id
from identity.employee import queries as employees
from identity.post import holding_queries as holdings
from identity.post.holding_queries import Holding
from identity.refusals import refuse
from identity.role.catalogue import PERMISSIONS
from identity.session.explain_texts import FOR, kind_of, reason
from identity.unit import queries as units
from identity.unit.model import Unit
from tongxiao.common.v1.access_pb2 import RecordPlace
from tongxiao.identity.v1 import session_pb2 as pb


@dataclass(frozen=True)
class Place:
    """A unit that a record lies in, and whether the employee owns it there."""

    unit: Unit
    # The unit and all above it: governing any of them is governing the unit.
    above: frozenset[UUID]
    owned: bool


@dataclass(frozen=True)
class Question:
    """Whether a permission is held over records in units; over any, where none is named. `share` is with the employee,
    if there is one, whether or not it reaches so far."""

    permission: str
    places: tuple[Place, ...]
    share: RecordPlace | None

    def governed_through(self, unit_id: UUID) -> bool:
        return not self.places or any(unit_id in place.above for place in self.places)

    def owned_through(self, unit_id: UUID) -> bool:
        return not self.places or any(place.owned and unit_id in place.above for place in self.places)

    def of_others_in(self, unit_id: UUID) -> Unit | None:
        """The unit of a place, below this one, in which somebody else owns the record."""
        return next((place.unit for place in self.places if not place.owned and unit_id in place.above), None)


def explain(call: Call, request: pb.ExplainAccessRequest) -> pb.ExplainAccessResponse:
    """What lets an employee do something today, or keeps them from it.

    Refuses NOT_FOUND an employee beyond reach, PERMISSION_UNKNOWN, UNIT_UNKNOWN, and PLACES_UNKNOWN a customer of
    which it was not told where it lies.
    """
    session = call.session
    employee = employees.get_employee(session, UUID(request.employee_id))
    question = _question(call, request)
    held = holdings.of_people(session, [employee.id], today=False)
    now = holdings.of_people(session, [employee.id])
    found = [] if employee.active else [reason("NOT_ACTIVE")]
    found += [] if now else [reason("NO_POST")]
    for holding in now:
        found += _judge(call, holding, question)
    valid = {holding.tenure.id for holding in now}
    for holding in held:
        if holding.tenure.id not in valid and question.permission in holding.role.permissions and _may_count(holding):
            found.append(reason("NOT_VALID_TODAY", holding))
    reasons = [each for each in found if kind_of(each) in FOR]
    obstacles = [each for each in found if kind_of(each) not in FOR]
    if employee.active and reasons:
        return pb.ExplainAccessResponse(allowed=True, reasons=reasons)
    return pb.ExplainAccessResponse(allowed=False, obstacles=obstacles)


def _question(call: Call, request: pb.ExplainAccessRequest) -> Question:
    if request.permission not in PERMISSIONS:
        raise refuse("PERMISSION_UNKNOWN", field="permission")
    if request.customer_id and not request.places:
        raise refuse("PLACES_UNKNOWN", field="customer_id")
    named = [(parse_id(place.unit_id), place.owned) for place in request.places if place.unit_id]
    if unit_id := parse_id(request.unit_id):
        named.append((unit_id, True))
    places = tuple(_place(call, unit_id, owned=owned) for unit_id, owned in named if unit_id)
    share = next((place for place in request.places if place.shared or place.shared_for_less), None)
    return Question(request.permission, places, share)


def _place(call: Call, unit_id: UUID, *, owned: bool) -> Place:
    above = units.upward(call.session, unit_id)
    if not above:
        raise refuse("UNIT_UNKNOWN", field="unit_id")
    return Place(above[0], frozenset(unit.id for unit in above), owned)


def _judge(call: Call, holding: Holding, question: Question) -> Iterator[pb.AccessReason]:
    """What one post held today says about the question."""
    if question.permission not in holding.role.permissions:
        yield reason("PERMISSION_MISSING", holding)
        return
    post = holding.post
    governing = [unit_id for unit_id in post.governed_unit_ids if question.governed_through(unit_id)]
    belongs = question.owned_through(post.unit_id)
    named = units.names(call.session, [post.unit_id, *governing])
    for unit_id in governing:
        yield reason("GOVERNS", holding, named[unit_id])
    if belongs:
        yield reason("BELONGS", holding, named[post.unit_id])
    if question.share and question.share.shared:
        yield reason("SHARED", holding, end_date=question.share.end_date)
    elif not governing and not belongs:
        yield from _lacking(holding, question)


def _lacking(holding: Holding, question: Question) -> Iterator[pb.AccessReason]:
    """Why a post that holds the permission does not reach the record: others own it, or a share falls short of it."""
    if mine := question.of_others_in(holding.post.unit_id):
        yield reason("NOT_OWNER", holding, mine)
    else:
        yield reason("UNIT_BEYOND", holding, question.places[0].unit)
    if question.share:
        short = "SHARE_FALLS_SHORT" if question.share.writes else "SHARED_READ_ONLY"
        yield reason(short, holding, end_date=question.share.end_date)


def _may_count(holding: Holding) -> bool:
    """Whether a tenure that is not valid today ever was, or will be."""
    called_off = holding.tenure.end_on is not None and holding.tenure.end_on < holding.tenure.start_on
    return not called_off and (holding.until is None or (clock.now() - holding.until).days < 365)
