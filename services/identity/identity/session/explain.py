"""Why somebody may or may not: which post and role, through which unit, until when; or what stands in the way."""

from collections.abc import Iterator
from dataclasses import dataclass
from uuid import UUID

from chassis import clock
from chassis.call import Call
from chassis.ids import parse_id
from identity import days
from identity.employee import queries as employees
from identity.post import holding_queries as holdings
from identity.post.holding_queries import Holding
from identity.refusals import refuse
from identity.role.catalogue import PERMISSIONS
from identity.unit import queries as units
from identity.unit.model import Unit
from tongxiao.common.v1.access_pb2 import RecordPlace
from tongxiao.identity.v1 import session_pb2 as pb

_PREFIX = "ACCESS_REASON_KIND_"
_SENTENCES = {
    "GOVERNS": ("岗位“{post}”管辖“{unit}”及其下级", 'The post "{post}" governs "{unit}" and all below it'),
    "BELONGS": ("岗位“{post}”属于“{unit}”，限本人的记录", 'The post "{post}" belongs to "{unit}": own records only'),
    "NOT_ACTIVE": ("该员工已停职或离职", "The employee is suspended or has left"),
    "NO_POST": ("该员工今天没有任何岗位", "The employee holds no post today"),
    "PERMISSION_MISSING": ("岗位“{post}”的角色“{role}”没有此权限", 'The role "{role}" of the post "{post}" lacks it'),
    "UNIT_BEYOND": ("岗位“{post}”不属于也不管辖该单元", 'The post "{post}" neither belongs to nor governs the unit'),
    "SHARED": (
        "该记录已共享给该员工，且岗位“{post}”有此权限",
        'It is shared with the employee; the post "{post}" holds it',
    ),
    "NOT_VALID_TODAY": ("岗位“{post}”或其任职今天无效", 'The post "{post}" or its tenure is not valid today'),
}
_UNTIL = ("，至 {day}", ", until {day}")
_FOR = ("GOVERNS", "BELONGS", "SHARED")


@dataclass(frozen=True)
class Place:
    """A unit that a record lies in, and whether what the employee owns is meant."""

    unit: Unit
    # The unit and all above it: governing any of them is governing the unit.
    above: frozenset[UUID]
    owned: bool


@dataclass(frozen=True)
class Question:
    """Whether a permission is held over records in units; over any, where none is named. `share` is one that counts."""

    permission: str
    places: tuple[Place, ...]
    share: RecordPlace | None

    def governed_through(self, unit_id: UUID) -> bool:
        return not self.places or any(unit_id in place.above for place in self.places)

    def owned_through(self, unit_id: UUID) -> bool:
        return not self.places or any(place.owned and unit_id in place.above for place in self.places)


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
    found = [] if employee.active else [_reason("NOT_ACTIVE")]
    found += [] if now else [_reason("NO_POST")]
    for holding in now:
        found += _judge(call, holding, question)
    valid = {holding.tenure.id for holding in now}
    for holding in held:
        if holding.tenure.id not in valid and question.permission in holding.role.permissions and _may_count(holding):
            found.append(_reason("NOT_VALID_TODAY", holding))
    reasons = [reason for reason in found if _kind(reason) in _FOR]
    obstacles = [reason for reason in found if _kind(reason) not in _FOR]
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
    share = next((place for place in request.places if place.shared), None)
    return Question(request.permission, places, share)


def _place(call: Call, unit_id: UUID, *, owned: bool) -> Place:
    above = units.upward(call.session, unit_id)
    if not above:
        raise refuse("UNIT_UNKNOWN", field="unit_id")
    return Place(above[0], frozenset(unit.id for unit in above), owned)


def _judge(call: Call, holding: Holding, question: Question) -> Iterator[pb.AccessReason]:
    """What one post held today says about the question."""
    if question.permission not in holding.role.permissions:
        yield _reason("PERMISSION_MISSING", holding)
        return
    post = holding.post
    governing = [unit_id for unit_id in post.governed_unit_ids if question.governed_through(unit_id)]
    belongs = question.owned_through(post.unit_id)
    named = units.names(call.session, [post.unit_id, *governing])
    for unit_id in governing:
        yield _reason("GOVERNS", holding, named[unit_id])
    if belongs:
        yield _reason("BELONGS", holding, named[post.unit_id])
    if question.share:
        yield _reason("SHARED", holding, end_date=question.share.end_date)
    elif not governing and not belongs:
        yield _reason("UNIT_BEYOND", holding, question.places[0].unit)


def _may_count(holding: Holding) -> bool:
    """Whether a tenure that is not valid today ever was, or will be."""
    called_off = holding.tenure.end_on is not None and holding.tenure.end_on < holding.tenure.start_on
    return not called_off and (holding.until is None or (clock.now() - holding.until).days < 365)


def _reason(
    kind: str, holding: Holding | None = None, unit: Unit | None = None, *, end_date: str = ""
) -> pb.AccessReason:
    """One reason; of two last days, the earlier counts."""
    post, role = (holding.post, holding.role) if holding else (None, None)
    end = min(filter(None, (end_date, days.text_of(holding.end_on) if holding else "")), default="")
    values = {"post": post.name if post else "", "role": role.name if role else "", "unit": unit.name if unit else ""}
    texts = [
        text.format(**values) + (until.format(day=end) if end else "")
        for text, until in zip(_SENTENCES[kind], _UNTIL, strict=True)
    ]
    return pb.AccessReason(
        kind=pb.AccessReasonKind.Value(_PREFIX + kind),
        post_id=str(post.id) if post else "",
        post_name=values["post"],
        role_id=str(role.id) if role else "",
        role_name=values["role"],
        unit_id=str(unit.id) if unit else "",
        unit_name=values["unit"],
        end_date=end,
        text=texts[0],
        text_en=texts[1],
    )


def _kind(reason: pb.AccessReason) -> str:
    return pb.AccessReasonKind.Name(reason.kind).removeprefix(_PREFIX)
