"""Rows that become customers: all of a step's looked up, checked and kept together."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any
from uuid import UUID

from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from chassis import guard, ids, imports
from chassis.call import Call
from chassis.errors import DomainError
from chassis.import_rows import CREATED, FAILED, UNCHANGED, UPDATED, Fault, Result
from chassis.imports import Importer, Row, refused
from customers import people
from customers.customer import operations
from customers.customer.attributes import ATTRIBUTES, attributes
from customers.customer.model import Customer
from customers.customer.operations import Placing
from customers.importing import cells, columns, doubles, parts, queries
from customers.importing.doubles import Doubles
from customers.people import Colleague
from customers.product_line import queries as lines
from customers.product_line.model import ProductLine
from customers.refusals import refuse
from tongxiao.customers.v1 import customer_pb2 as pb

# What another process may take between the look and the keeping.
_TAKEN = ("uq_customers_credit_code", "pk_customers")
_PLAIN = tuple(name for name in ATTRIBUTES if name not in ("parent_id", "custom_fields"))


@dataclass(frozen=True)
class Known:
    """What the rows of a step refer to."""

    lines: Mapping[str, ProductLine]
    owners: Mapping[str, Sequence[Colleague]]
    units: Mapping[str, UUID]
    parents: Mapping[str, Sequence[UUID]]
    alike: set[str]
    existing: Mapping[str, Customer]
    changeable: set[UUID]
    doubles: Doubles
    taken_ids: set[str]
    myself: Colleague | None


def apply(call: Call, rows: Sequence[Row], update_by: str) -> list[Result]:
    """Create or change a customer for each row, as the caller might one by one."""
    parted = [parts.of_customer(row) for row in rows]
    companies = [row for row, _ in parted if parts.is_company(row) is not False]
    known = _known(call, companies, update_by)
    made: dict[int, Customer] = {}
    person = imports.passed_over(refuse("NOT_A_COMPANY", field="is_company"))
    results = {row.number: person for row in rows}
    seen: dict[str, int] = {}
    for row in companies:
        try:
            results[row.number] = _applied(call, row, known, update_by=update_by, seen=seen, made=made)
        except DomainError as error:
            results[row.number] = refused(error)
    results |= _kept(call, made)
    known.doubles.fulfil(call, {number: results[number].resource_id for number in made})
    for row, told in parted:
        if row.number in made and row.values["name"] in known.alike:
            told.append(imports.fault(refuse("ALIKE_EXISTS", field="name")))
    return [_telling(results[row.number], told) for row, told in parted]


def demand(call: Call, plan: Mapping[str, Any]) -> None:
    """Refuse LINE_DEFAULT_MISSING a plan that says nothing of the new customers' line, where there are several.

    And LINE_UNKNOWN one that names another by default.
    """
    default = plan["defaults"].get("line", "")
    if plan["update_by"] or "line" in plan["mapping"].values():
        return
    if default not in _lines(call.session):
        raise refuse("LINE_UNKNOWN" if default else "LINE_DEFAULT_MISSING", field="import_job.defaults")


CUSTOMERS = Importer(kind="customer", fields=(*columns.CUSTOMER, *columns.CUSTOMER_PARTS), apply=apply, demand=demand)


def _telling(result: Result, told: list[Fault]) -> Result:
    """The result of a row that is taken also tells what was left out of it, and whom it may double."""
    return result if result.outcome == FAILED or not told else replace(result, faults=[*result.faults, *told])


def _applied(
    call: Call, row: Row, known: Known, *, update_by: str, seen: dict[str, int], made: dict[int, Customer]
) -> Result:
    """What becomes of one row; a new customer is put into `made`, to be kept with the others."""
    given = pb.Customer()
    cells.fill(given, row.values, _PLAIN)
    existing = known.existing.get(row.values.get(update_by, "")) if update_by else None
    if faults := _faults(given, row, existing):
        return faults
    _demand_once(row, seen)
    values = attributes(given, [name for name in _PLAIN if existing is None or name in row.values])
    if "parent" in row.values:
        values["parent_id"] = _parent(row.values["parent"], known)
    elif existing is None:
        values["parent_id"] = None
    values = operations.editable(call, existing, values) if existing else {**values, "custom_fields": {}}
    values = operations.checked(call.session, existing, values)
    if existing:
        return _changed(call, existing, values, known)
    _demand_phones_once(row, values["phones"], seen)
    known.doubles.demand_none(call, values["credit_code"], values["phones"])
    made[row.number] = _built(call, row, values, known)
    return Result(CREATED)


def _faults(given: pb.Customer, row: Row, existing: Customer | None) -> Result | None:
    """What the contract's rules refuse: of a new customer everything, of a change what the row has."""
    if existing is None:
        given.id = row.values.get("id", "")
        if not given.name:
            raise refuse("FIELD_MISSING", field="name")
        return cells.faults_of(pb.CreateCustomerRequest(customer=given))
    request = pb.UpdateCustomerRequest(customer=given)
    request.update_mask.paths.extend(name for name in _PLAIN if name in row.values)
    return cells.faults_of(request)


def _demand_once(row: Row, seen: dict[str, int]) -> None:
    """Refuse ROW_TWICE a row with the id or the credit code of an earlier one of the same step."""
    for name in ("id", "credit_code"):
        key = f"{name} {row.values.get(name, '')}"
        if row.values.get(name) and key in seen:
            raise refuse("ROW_TWICE", field=name, row=seen[key])
        seen[key] = row.number


def _demand_phones_once(row: Row, phones: Sequence[str], seen: dict[str, int]) -> None:
    """Refuse ROW_TWICE a new customer with a phone of an earlier one of the same step."""
    if twice := next((phone for phone in phones if phone in seen), None):
        raise refuse("ROW_TWICE", field="phones", row=seen[twice])
    seen.update(dict.fromkeys(phones, row.number))


def _changed(call: Call, customer: Customer, values: Mapping[str, Any], known: Known) -> Result:
    if customer.id not in known.changeable:
        raise refuse("OUT_OF_REACH")
    known.doubles.demand_none(call, *operations.new_keys(customer, values), besides=customer.id)
    before = customer.version
    operations.apply_changes(call, customer, values)
    return Result(UPDATED if customer.version > before else UNCHANGED, customer.id)


def _built(call: Call, row: Row, values: Mapping[str, Any], known: Known) -> Customer:
    customer_id = row.values.get("id", "")
    if customer_id in known.taken_ids:
        raise refuse("ID_TAKEN", field="id")
    placing = _placing(call, row, known)
    known.doubles.demand_free(call, row, placing)
    return operations.build(call, customer_id=ids.parse_id(customer_id), values=values, placings=[placing])


def _placing(call: Call, row: Row, known: Known) -> Placing:
    """Whose the customer will be. Refuses LINE_UNKNOWN, LINE_RETIRED, OWNER_UNKNOWN, UNIT_UNKNOWN and OUT_OF_REACH."""
    line = known.lines.get(row.values.get("line", ""))
    if line is None:
        raise refuse("LINE_UNKNOWN", field="line")
    if line.retired:
        raise refuse("LINE_RETIRED", field="line")
    owner = _owner(call, row, known)
    unit_id = known.units.get(row.values.get("unit", ""))
    if "unit" in row.values and unit_id is None:
        raise refuse("UNIT_UNKNOWN", field="unit")
    unit_id = operations.unit_of(call, owner, unit_id, field="unit")
    if not call.change_scope.covers(owner.id, unit_id):
        raise refuse("UNIT_BEYOND_REACH", field="unit")
    return Placing(line.id, owner.id, unit_id)


def _owner(call: Call, row: Row, known: Known) -> Colleague:
    """Who is named by number, or by a name that one person within reach has; oneself where nobody is.

    Refuses OWNER_UNKNOWN and OWNER_AMBIGUOUS.
    """
    if "owner" not in row.values:
        named = [known.myself] if known.myself else []
    else:
        every = known.owners.get(row.values["owner"], ())
        named = [each for each in every if each.number == row.values["owner"]] or [
            each for each in every if each.unit_id and call.change_scope.covers(each.id, each.unit_id)
        ]
    found = [each for each in named if each.active]
    if len(found) != 1:
        raise refuse("OWNER_AMBIGUOUS" if found else "OWNER_UNKNOWN", field="owner")
    return found[0]


def _parent(name: str, known: Known) -> UUID:
    found = known.parents.get(name, ())
    if len(found) != 1:
        raise refuse("PARENT_UNKNOWN", field="parent")
    return found[0]


def _kept(call: Call, made: Mapping[int, Customer]) -> dict[int, Result]:
    """Keep new customers together; one by one where another process has taken a code meanwhile."""
    if not made:
        return {}
    if _keep(call, list(made.values())):
        return {number: Result(CREATED, customer.id) for number, customer in made.items()}
    return {
        number: Result(CREATED, customer.id) if _keep(call, [customer]) else doubles.raced(call, customer.credit_code)
        for number, customer in made.items()
    }


def _keep(call: Call, customers: Sequence[Customer]) -> bool:
    try:
        with call.session.begin_nested():
            operations.keep(call, customers)
    except IntegrityError as error:
        if getattr(getattr(error.orig, "diag", None), "constraint_name", "") not in _TAKEN:
            raise
        return False
    return True


def _known(call: Call, rows: Sequence[Row], update_by: str) -> Known:
    session = call.session
    existing = queries.customers_by(session, update_by, _cells(rows, update_by)) if update_by else {}
    known_lines = _lines(session)
    return Known(
        lines=known_lines,
        owners=queries.colleagues_by_number_or_name(session, _cells(rows, "owner")),
        units=queries.units_by_code(session, _cells(rows, "unit")),
        parents=queries.customer_ids_by_name(session, _cells(rows, "parent")),
        alike=queries.named_alike(session, _cells(rows, "name")),
        existing=existing,
        changeable=guard.changeable(session, Customer, [each.id for each in existing.values()]),
        doubles=doubles.of(call, rows, known_lines),
        taken_ids=queries.taken_ids(session, _cells(rows, "id")),
        myself=people.find(session, call.caller.person_id),
    )


def _lines(session: Session) -> dict[str, ProductLine]:
    """The product lines by code and by name; where there is but one, by nothing too."""
    found = lines.all_lines(session)
    open_lines = [line for line in found if not line.retired]
    only = {"": open_lines[0]} if len(open_lines) == 1 else {}
    return {**only, **{line.name: line for line in found}, **{line.code: line for line in found}}


def _cells(rows: Sequence[Row], name: str) -> set[str]:
    return {row.values[name] for row in rows if name in row.values}
