"""What the rows of a step double: looked up for all of them at once, refused and counted as creation does it."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from uuid import UUID

from chassis import clock, turns
from chassis.call import Call
from chassis.errors import DomainError
from chassis.import_rows import Result
from chassis.imports import Row, refused
from customers import facts
from customers.customer.operations import Placing
from customers.duplicate import operations as duplicates
from customers.duplicate import queries as exact
from customers.duplicate.queries import Match
from customers.importing import cells
from customers.product_line.model import ProductLine
from customers.refusals import refuse
from customers.registration import operations as registrations
from customers.registration import queries as protected
from customers.registration.model import Registration
from customers.registration.queries import Draft


@dataclass(frozen=True)
class Doubles:
    """Customers of the rows' codes and phones, those of them that may be named, and registrations by row."""

    matches: Sequence[Match]
    known: Collection[Match]
    drafts: Mapping[int, Draft]
    registered: Mapping[int, Sequence[Registration]]
    fulfilled: dict[int, Sequence[Registration]] = field(default_factory=dict)

    def demand_none(self, call: Call, code: str, phones: Collection[str], *, besides: UUID | None = None) -> None:
        """Refuse DUPLICATE_EXISTS or DUPLICATE_ELSEWHERE a row of this code and these phones."""
        of_row = [m for m in self.matches if (m.credit_code and m.credit_code == code) or m.phone in phones]
        if found := [match for match in of_row if match.customer_id != besides]:
            raise duplicates.refusal_of(call, found, self.known)

    def demand_free(self, call: Call, row: Row, placing: Placing) -> None:
        """Refuse REGISTRATION_EXISTS or REGISTERED_ELSEWHERE what anybody but the row's owner has registered."""
        for registration in self.registered.get(row.number, ()):
            if registration.owner_id != placing.owner_id:
                raise registrations.standing(call, registration, self.drafts[row.number], field="name")
        self.fulfilled[row.number] = self.registered.get(row.number, ())

    def fulfil(self, call: Call, created: Mapping[int, UUID | None]) -> None:
        """Note which registrations the customers just kept have fulfilled."""
        for number, customer_id in created.items():
            if customer_id:
                registrations.fulfil(call, self.fulfilled.get(number, ()), customer_id)


def of(call: Call, rows: Sequence[Row], lines: Mapping[str, ProductLine]) -> Doubles:
    """What there is of what the rows bring."""
    codes = {row.values["credit_code"] for row in rows if "credit_code" in row.values}
    phones = {phone for row in rows for phone in _phones(row)}
    turns.wait_for_all(call.session, "phone", phones)
    found = exact.exact_matches(call.session, codes, phones)
    drafts = {row.number: draft for row in rows if (draft := _draft(row, lines))}
    numbers = list(drafts)
    registered: dict[int, list[Registration]] = {}
    for at, registration in protected.protecting(call.session, list(drafts.values()), clock.now()):
        registered.setdefault(numbers[at], []).append(registration)
    return Doubles(found, duplicates.known_among(call, found), drafts, registered)


def raced(call: Call, code: str) -> Result:
    """The result of a row whose code another call has taken since the look."""
    found = exact.exact_matches(call.session, [code] if code else [], [])
    known = duplicates.known_among(call, found)
    told = duplicates.refusal_of(call, found, known) if found else refuse("CREDIT_CODE_TAKEN", field="credit_code")
    return refused(told)


def _phones(row: Row) -> list[str]:
    """A row's phones in the form they are kept in; what is none is refused with its row."""
    found = []
    for cell in cells.split(row.values.get("phones", "")):
        try:
            found.append(facts.checked_phone(cell, field="phones"))
        except DomainError:
            continue
    return found


def _draft(row: Row, lines: Mapping[str, ProductLine]) -> Draft | None:
    line, given = lines.get(row.values.get("line", "")), row.values
    if line is None or "name" not in given:
        return None
    return Draft(line.id, given["name"], given.get("credit_code", ""), given.get("division_code", ""))
