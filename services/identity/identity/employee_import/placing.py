"""Which post a row puts somebody into: one named by its code, or a vacant one of a name or a role in the row's unit."""

from collections.abc import Sequence
from datetime import date
from uuid import UUID

from chassis import clock, imports
from chassis.call import Call
from chassis.imports import Row
from identity import days
from identity.employee import transfers
from identity.employee.model import Employee
from identity.post import holding_queries as holdings
from identity.post import queries as posts
from identity.post.model import Post
from identity.refusals import refuse
from identity.role import queries as roles
from identity.unit import queries as units

# Field of an operation's refusal to the row's own.
FIELDS = {"post_id": "post", "effective_date": "post_start_date", "start_date": "post_start_date"}


def candidates(call: Call, row: Row, unit_id: UUID | None) -> Sequence[Post]:
    """The posts that a row may mean; none where it names none.

    Refuses POST_UNKNOWN, ROLE_UNKNOWN, NAME_AMBIGUOUS, and FIELD_MISSING a unit to look for them in.
    """
    name, role = row.values.get("post", ""), row.values.get("role", "")
    if not (name or role):
        return ()
    with call.reading_as(posts.READ):
        if name and (coded := posts.by_code(call.session, name)):
            return (coded,)
        if unit_id is None:
            raise refuse("FIELD_MISSING", field="unit")
        found = posts.of_unit(call.session, unit_id, name=name, role_id=_role(call, role) if role else None)
    if not found:
        raise refuse("POST_UNKNOWN", field="post" if name else "role")
    return found


def place(call: Call, row: Row, employee: Employee, fitting: Sequence[Post]) -> None:
    """Have an employee hold one of the posts as their main one; who does already goes on. Refuses as a transfer does,
    and NO_VACANT_POST where others hold them all."""
    held = holdings.of_people(call.session, [employee.id])
    if any(holding.tenure.main and holding.post in fitting for holding in held):
        return
    start = _start(call, row, employee, fitting[0])
    post = _vacant(call, row, fitting, start)
    transfers.transfer(
        call,
        employee_id=employee.id,
        post_id=post.id,
        effective_date=start.isoformat(),
        replace_planned=False,
        etag="*",
    )


def _vacant(call: Call, row: Row, fitting: Sequence[Post], start: date) -> Post:
    """The first valid post that nobody holds; of one named by its code, others may be holders as well."""
    if fitting[0].code == row.values.get("post"):
        return fitting[0]
    valid = [post.id for post in fitting if days.covers(post, start, post.end_on)]
    free = posts.unheld_from(call.session, valid, start)
    found = next((post for post in fitting if post.id in free), None)
    if found is None:
        raise refuse("NO_VACANT_POST", field="post" if "post" in row.values else "role")
    return found


def _start(call: Call, row: Row, employee: Employee, post: Post) -> date:
    """The first day: as the row says, else that of hiring for who has held nothing, else today."""
    given = imports.day(row.values.get("post_start_date", ""))
    if day := days.checked_day(given, field="post_start_date"):
        return day
    if not holdings.of_people(call.session, [employee.id], today=False):
        return employee.hire_on
    return clock.today(units.zone_of(call.session, post.unit_id))


def _role(call: Call, named: str) -> UUID:
    found = roles.called(call.session, named)
    if not found:
        raise refuse("ROLE_UNKNOWN", field="role")
    if len(found) > 1:
        raise refuse("NAME_AMBIGUOUS", field="role")
    return found[0]
