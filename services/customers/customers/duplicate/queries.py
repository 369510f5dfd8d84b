"""Every select of duplicates: exact ones company-wide, near ones within reach."""

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any
from uuid import UUID

from sqlalchemy import ARRAY, ColumnElement, Select, Text, cast, func, literal, or_, select
from sqlalchemy.dialects.postgresql import array
from sqlalchemy.orm import Session

from chassis.arrays import uuids
from chassis.call import Call
from chassis.listing import Narrowing
from chassis.paging import COUNTED
from chassis.search import Search
from customers.contact.model import Contact, ContactPlace
from customers.customer.model import Assignment, Customer
from customers.customer.queries import LISTING, ORDERS
from customers.duplicate.model import DuplicateAnswer
from tongxiao.common.v1.permission_pb2 import PERMISSION_CONTACT_READ
from tongxiao.customers.v1 import customer_pb2

# Whom an address says nothing about: public mail, and sites where anybody has a page.
PUBLIC_DOMAINS = (
    *("qq.com", "foxmail.com", "vip.qq.com", "163.com", "vip.163.com", "126.com", "yeah.net", "188.com", "netease.com"),
    *("sina.com", "sina.cn", "vip.sina.com", "sohu.com", "139.com", "189.cn", "wo.cn", "aliyun.com", "tom.com"),
    *("gmail.com", "googlemail.com", "outlook.com", "hotmail.com", "live.com", "live.cn", "msn.com", "yahoo.com"),
    *("yahoo.com.cn", "yahoo.cn", "yahoo.co.jp", "icloud.com", "me.com", "mac.com", "proton.me", "protonmail.com"),
    *("mail.ru", "yandex.ru", "gmx.de", "gmx.net", "web.de", "aol.com", "263.net", "21cn.com"),
    *("weibo.com", "mp.weixin.qq.com", "1688.com", "taobao.com", "tmall.com", "jd.com", "alibaba.com", "facebook.com"),
    *("linkedin.com", "baidu.com", "b2b.baidu.com", "qcc.com", "tianyancha.com", "aiqicha.baidu.com"),
)
# How many of one key, and how many that a draft may double, are shown.
SHOWN, MEMBERS = 20, 50
# How many customers, in the order of their keys, one page of groups looks through at most.
WINDOW = 20_000

_EXACT = {"reach": "exact duplicates, company-wide; beyond reach no more is said than the unit"}
_OWN = {"reach": "what the caller was told"}


@dataclass(frozen=True)
class Match:
    """A customer that has exactly this code, or this phone."""

    customer_id: UUID
    credit_code: str = ""
    phone: str = ""


def exact_matches(session: Session, codes: Collection[str], phones: Collection[str]) -> list[Match]:
    """The customers with any of these codes or phones, within reach or beyond; one statement each, codes first."""
    return [*_by_code(session, codes), *_by_phone(session, phones)]


def _by_code(session: Session, codes: Collection[str]) -> Iterator[Match]:
    if not codes:
        return
    table = Customer.__table__.c
    wanted = select(table.id, table.credit_code).where(table.credit_code.in_(codes), table.credit_code != "")
    for row in session.execute(wanted.where(table.deleted_at.is_(None)), execution_options=_EXACT):
        yield Match(row.id, credit_code=row.credit_code)


def _by_phone(session: Session, phones: Collection[str]) -> Iterator[Match]:
    """Each phone by itself: an overlap of hundreds is looked for row by row where few customers have phones."""
    if not phones:
        return
    table: Any = Customer.__table__
    sought = func.unnest(cast(list(phones), ARRAY(Text))).table_valued("phone", name="sought").render_derived()
    held = table.c.phones.bool_op("@>")(array([sought.c.phone]))
    wanted = select(table.c.id, sought.c.phone).select_from(sought).join(table, held)
    for row in session.execute(wanted.where(table.c.deleted_at.is_(None)), execution_options=_EXACT):
        yield Match(row.id, phone=row.phone)


def within_reach(session: Session, customer_ids: Collection[UUID]) -> set[UUID]:
    """Those of the customers that the caller reads."""
    if not customer_ids:
        return set()
    wanted = select(Customer.id).where(Customer.id == func.any(uuids(customer_ids)), Customer.deleted_at.is_(None))
    return set(session.scalars(wanted))


def owning_unit(session: Session, customer_id: UUID) -> UUID:
    """The unit that has had the customer longest."""
    wanted = select(Assignment.unit_id).where(Assignment.customer_id == customer_id)
    oldest = wanted.order_by(Assignment.since, Assignment.id).limit(1)
    return session.scalars(oldest.execution_options(**_EXACT)).one()


def answers_on(session: Session, person_id: UUID, day: date) -> Sequence[DuplicateAnswer]:
    """What a person was told on a day."""
    wanted = select(DuplicateAnswer).where(DuplicateAnswer.person_id == person_id, DuplicateAnswer.day == day)
    return session.scalars(wanted.execution_options(**_OWN)).all()


def newest_answer(session: Session, person_id: UUID, since: datetime, **asked: str) -> DuplicateAnswer | None:
    """What a person was told last of this code, this phone, or this name however it is written."""
    told, keys = DuplicateAnswer, {name: asked[name] for name in ("credit_code", "phone")}
    wanted = select(told).filter_by(person_id=person_id, **keys).where(told.created_at > since)
    wanted = wanted.where(func.name_key(told.name) == func.name_key(asked["name"]))
    wanted = wanted.where(same_place(told.division_code, literal(asked["division_code"])))
    return session.scalars(
        wanted.order_by(DuplicateAnswer.created_at.desc()).limit(1).execution_options(**_OWN)
    ).one_or_none()


def same_place(one: Any, other: Any) -> ColumnElement[bool]:
    """Whether two divisions may be of one place: one lies in the other, or is not said."""
    bare, also = (func.regexp_replace(code, "(00)+$", "") for code in (one, other))
    return or_(func.starts_with(bare, also), func.starts_with(also, bare))


def having(session: Session, *conditions: ColumnElement[bool]) -> Sequence[UUID]:
    """The customers within reach that fulfil the conditions, oldest first."""
    wanted = select(Customer.id).where(Customer.deleted_at.is_(None), *conditions)
    return session.scalars(wanted.order_by(Customer.id).limit(SHOWN)).all()


def alike_by_name(session: Session, name: str) -> Sequence[UUID]:
    key = func.name_key(name)
    return having(session, Customer.name_key == key, Customer.name_key != "")


def alike_by_website(session: Session, website: str) -> Sequence[UUID]:
    domain = func.web_domain(website)
    named = (Customer.web_domain == domain, Customer.web_domain != "", Customer.web_domain.not_in(PUBLIC_DOMAINS))
    return having(session, *named)


def alike_by_mail(call: Call, website: str) -> Sequence[UUID]:
    """The customers within reach with a contact, within reach too, whose e-mail is of a website's domain."""
    host = func.lower(func.split_part(Contact.email, "@", 2))
    wanted = select(ContactPlace.customer_id).join(Contact, Contact.id == ContactPlace.contact_id)
    wanted = wanted.where(Contact.email != "", Contact.deleted_at.is_(None), host == func.web_domain(website))
    with call.reading_as(PERMISSION_CONTACT_READ):
        found = set(call.session.scalars(wanted.where(host.not_in(PUBLIC_DOMAINS)).distinct().limit(SHOWN)))
    return having(call.session, Customer.id == func.any(uuids(found)))


def groups(call: Call, column: str, *, after: str, limit: int) -> tuple[dict[str, list[UUID]], str]:
    """Groups of customers within reach with one key, by key, and the key that the next page begins after.

    Who reaches few is answered from those alone; for others a window of all keys, in order, is looked through.
    """
    few = _few(call)
    end = "" if few is not None else _window_end(call.session, column, after)
    rows = call.session.execute(_twins(column, after, end, few), execution_options=_EXACT).all()
    readable = within_reach(call.session, {row.id for row in rows})
    found: dict[str, list[UUID]] = {}
    for row in rows:
        if row.id in readable:
            found.setdefault(row.key, []).append(row.id)
    shown = [(key, ids) for key, ids in found.items() if len(ids) > 1]
    return dict(shown[:limit]), shown[limit - 1][0] if len(shown) > limit else end


def _few(call: Call) -> list[UUID] | None:
    """All the customers within reach, where they are not many."""
    order = ORDERS[customer_pb2.CUSTOMER_ORDER_UNSPECIFIED]
    found = Search(LISTING, call.read_scope, order, Narrowing(), None, COUNTED + 1).rows(call.session)
    return None if len(found) > COUNTED else [row.id for row in found]


def _keyed(column: str, after: str) -> Select[Any]:
    """Live customers by key, each with its key, in the order of an index."""
    table = Customer.__table__.c
    key = table[column]
    wanted = select(table.id, key.label("key")).where(table.deleted_at.is_(None), key != "", key > after)
    return wanted.where(key.not_in(PUBLIC_DOMAINS)) if column == "web_domain" else wanted


def _window_end(session: Session, column: str, after: str) -> str:
    """The last key of the window; empty where everything that is left fits."""
    wanted = _keyed(column, after)
    key = wanted.selected_columns.key
    found = wanted.with_only_columns(key).order_by(key).offset(WINDOW).limit(1)
    return session.scalar(found, execution_options=_EXACT) or ""


def _twins(column: str, after: str, end: str, few: Sequence[UUID] | None) -> Select[Any]:
    wanted = _keyed(column, after)
    id_, key = wanted.selected_columns.id, wanted.selected_columns.key
    wanted = wanted.where(key <= end) if end else wanted
    wanted = wanted.where(id_ == func.any(uuids(few))) if few is not None else wanted
    seen = wanted.add_columns(func.count().over(partition_by=key).label("many")).subquery()
    return select(seen.c.id, seen.c.key).where(seen.c.many > 1).order_by(seen.c.key, seen.c.id)
