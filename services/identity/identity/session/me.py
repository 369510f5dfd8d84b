"""Who the caller is: their posts, and what each of them allows."""

from dataclasses import dataclass

from chassis.call import Call
from chassis.caller import Grant
from identity.employee import queries as employees
from identity.employee.model import Employee
from identity.post import holding_queries as holdings
from identity.post.holding_queries import Holding
from identity.refusals import refuse
from identity.session import grants
from identity.unit import queries as units
from identity.unit.model import Unit


@dataclass(frozen=True)
class Held:
    """A grant of the caller's passport with the post it comes from."""

    grant: Grant
    holding: Holding
    unit: Unit


@dataclass(frozen=True)
class Me:
    """The caller. Their grants are those of the passport: what the token does not bear out is left out."""

    employee: Employee
    held: list[Held]
    time_zone: str


def describe(call: Call) -> Me:
    """The caller's record and grants. Refuses EMPLOYEE_UNKNOWN where the passport is of no employee."""
    session, caller = call.session, call.caller
    employee = employees.known_employee(session, caller.person_id)
    if employee is None:
        raise refuse("EMPLOYEE_UNKNOWN")
    of_post = {held.post.id: held for held in grants.one_per_post(holdings.of_people(session, [employee.id]))}
    named = units.names(session, [employee.unit_id, *(grant.unit_id for grant in caller.grants)])
    held = [
        Held(grant, of_post[grant.post_id], named[grant.unit_id])
        for grant in caller.grants
        if grant.post_id in of_post and grant.unit_id in named
    ]
    return Me(employee, held, named[employee.unit_id].time_zone)
