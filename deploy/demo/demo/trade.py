"""The demo's customers with contacts and 18 months of contact records, written in bulk."""

import random
from datetime import date, datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import Engine, Table, func, insert

from chassis import clock
from customers.contact.model import Contact, ContactPlace
from customers.contact_record.model import ContactRecord
from customers.customer.model import Assignment, AssignmentPeriod, Customer
from customers.product_line.model import ProductLine
from demo import words
from demo.company import Company, Seller, name, stable
from demo.credit_codes import credit_code

CUSTOMERS, RECORDS, MONTHS = 5000, 40_000, 18
LINES = {"EQ": ("设备", "Equipment"), "SV": ("服务", "Services")}
BATCH = 1000

Rows = dict[Table, list[dict[str, Any]]]


def write(engine: Engine, company: Company, dice: random.Random, today: date) -> None:
    """Write everything, or nothing; an installation that has it already stays as it is."""
    with engine.begin() as connection:
        if connection.scalar(func.count().select().select_from(ProductLine.__table__)):
            return
        rows: Rows = {}
        _lines(rows)
        for number in range(CUSTOMERS):
            _customer(rows, company, dice, number, today)
        for table, found in rows.items():
            for at in range(0, len(found), BATCH):
                connection.execute(insert(table), found[at : at + BATCH])


def _lines(rows: Rows) -> None:
    moment = clock.now()
    for code, (title, title_en) in LINES.items():
        line = {"id": stable("line", code), "code": code, "name": title, "name_en": title_en, "retired": False}
        _add(rows, ProductLine, line | {"version": 1, "created_at": moment, "updated_at": moment})


def _customer(rows: Rows, company: Company, dice: random.Random, number: int, today: date) -> None:
    seller = company.sellers[number % len(company.sellers)]
    industry, trade = dice.choice(list(words.TRADES.items()))
    district, division = dice.choice(list(_districts(seller.branch).items()))
    title = f"{seller.branch}{dice.choice(words.STEMS)}{trade}{number:04}有限公司"
    code = credit_code(number, division)
    customer_id = stable("customer", str(number))
    created = _moment(dice, today, oldest=MONTHS * 30)
    times = sorted(_moment(dice, today, oldest=(today - created.date()).days) for _ in range(RECORDS // CUSTOMERS))
    names = {"name": title, "short_name": title[len(seller.branch) : len(seller.branch) + 2], "name_en": ""}
    indexed = Customer(**names, credit_code=code, assignments=[])
    indexed.index()
    sort = {"created_at": created, "last_contact_at": times[-1], "sort_name": indexed.sort_name}
    values = {
        "id": customer_id,
        "credit_code": code,
        "industry": industry,
        "size": dice.choice((1, 2, 2, 3, 4)),
        "tier": dice.choice((1, 2, 2, 3, 3, 3)),
        "source": dice.randint(1, 6),
        "division_code": division,
        "address": f"{seller.branch}市{district}{dice.choice(words.STREETS)}{dice.randint(1, 999)}号",
        "website": "",
        "phones": [f"+86400{dice.randrange(10**7):07}"],
        "tags": dice.sample(["重点", "老客户", "展会", "试用"], dice.randint(0, 2)),
        "parent_id": None,
        "note": "",
        "custom_fields": {},
        "next_contact_on": today + timedelta(days=dice.randint(-3, 30)),
        "search_text": indexed.search_text,
        "search": indexed.search,
        "created_by": seller.id,
        "version": 1,
        "updated_at": created,
        **names,
        **sort,
    }
    _add(rows, Customer, values)
    _assign(rows, company, dice, customer_id, seller, sort)
    contacts = [_contact(rows, dice, customer_id, number, at, created) for at in range(dice.randint(1, 3))]
    for at, when in enumerate(times):
        _record(rows, dice, customer_id, f"{number}/{at}", seller, contacts, when)


def _assign(
    rows: Rows, company: Company, dice: random.Random, customer_id: UUID, seller: Seller, sort: dict[str, Any]
) -> None:
    """The equipment line is the seller's; every fifth customer has somebody else of the branch for services."""
    owners = {"EQ": seller}
    if dice.random() < 0.2:
        owners["SV"] = dice.choice([other for other in company.sellers if other.branch == seller.branch])
    for code, owner in owners.items():
        whose = {"customer_id": customer_id, "line_id": stable("line", code), "owner_id": owner.id}
        whose |= {"unit_id": owner.unit_id}
        _add(rows, Assignment, whose | sort | {"id": stable(code, str(customer_id)), "since": sort["created_at"]})
        period = {"started_at": sort["created_at"], "ended_at": None, "assigned_by": owner.id, "note": ""}
        _add(rows, AssignmentPeriod, whose | period | {"id": stable(f"period {code}", str(customer_id))})


def _contact(rows: Rows, dice: random.Random, customer_id: UUID, number: int, at: int, created: datetime) -> UUID:
    contact_id = stable("contact", f"{number}/{at}")
    values = {
        "id": contact_id,
        "name": name(dice),
        "name_en": "",
        "mobile": f"+86198{dice.randrange(10**8):08}",
        "phone": "",
        "email": f"contact{number}.{at}@example.com",
        "wechat": "",
        "birthday": f"--{dice.randint(1, 12):02}-{dice.randint(1, 28):02}",
        "email_consent": dice.choice((0, 1, 1, 2)),
        "phone_consent": 1,
        "note": "",
        "version": 1,
        "created_at": created,
        "updated_at": created,
    }
    _add(rows, Contact, values)
    place = {"contact_id": contact_id, "customer_id": customer_id, "position": 0, "role": dice.randint(1, 6)}
    place |= {"id": stable("place", f"{number}/{at}"), "job_title": dice.choice(words.JOBS), "department": ""}
    _add(rows, ContactPlace, place)
    return contact_id


def _record(
    rows: Rows, dice: random.Random, customer_id: UUID, code: str, seller: Seller, contacts: list[UUID], when: datetime
) -> None:
    values = {
        "id": stable("record", code),
        "customer_id": customer_id,
        "contact_ids": [dice.choice(contacts)],
        "line_id": stable("line", "EQ"),
        "channel": dice.choice((1, 2, 2, 3, 5, 5)),
        "contacted_at": when,
        "duration_minutes": dice.choice((5, 10, 15, 30, 60, 90)),
        "outcome": dice.randint(2, 5),
        "two_way": True,
        "summary": dice.choice(words.OUTCOMES),
        "next_step": "",
        "next_contact_on": None,
        "place": None,
        "photo_keys": [],
        "author_id": seller.id,
        "unit_id": seller.unit_id,
        "version": 1,
        "created_at": when,
        "updated_at": when,
    }
    _add(rows, ContactRecord, values)


def _moment(dice: random.Random, today: date, *, oldest: int) -> datetime:
    """Some working hour of the last days, yesterday at the latest."""
    day = today - timedelta(days=dice.randint(1, max(1, oldest)))
    return clock.start_of_day(day) + timedelta(hours=9, minutes=dice.randint(0, 540))


def _districts(city: str) -> dict[str, str]:
    return next(cities[city] for cities in words.REGIONS.values() if city in cities)


def _add(rows: Rows, entity: Any, values: dict[str, Any]) -> None:
    rows.setdefault(entity.__table__, []).append(values)
