"""What tests of this service make."""

from collections.abc import Callable, Sequence
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import text

from chassis import clock
from chassis.testing.rpc import Client, Refused
from customers.facts import check_character
from tongxiao.customers.v1 import contact_pb2, contact_record_pb2
from tongxiao.customers.v1 import customer_pb2 as pb

from .conftest import Company


def customer(
    client: Client, company: Company, *, key: str = "", allow_duplicate_phone: bool = False, **fields: Any
) -> pb.Customer:
    """A customer of the client's own."""
    given = {"name": "杭州远山机械有限公司", "assignments": [{"line_id": str(company.line)}], **fields}
    made: pb.Customer = client("CreateCustomer", key=key, customer=given, allow_duplicate_phone=allow_duplicate_phone)
    return made


def contact(client: Client, at: pb.Customer, **fields: Any) -> contact_pb2.Contact:
    """A contact at a customer."""
    given = {"name": "李四", "mobile": "+8613812345678", "places": [{"customer_id": at.id}], **fields}
    made: contact_pb2.Contact = client("CreateContact", contact=given)
    return made


def record(client: Client, of: pb.Customer, **fields: Any) -> contact_record_pb2.ContactRecord:
    """A contact record of a two-way visit."""
    visit = contact_record_pb2.CONTACT_CHANNEL_VISIT
    given = {"customer_id": of.id, "channel": visit, "two_way": True, "summary": "谈妥试用", **fields}
    made: contact_record_pb2.ContactRecord = client("CreateContactRecord", contact_record=given)
    return made


def rows(company: Company, statement: str, **values: Any) -> Sequence[Any]:
    with company.database.engine("owner").connect() as connection:
        return connection.execute(text(statement), values).all()


def refusal(act: Callable[[], object]) -> str:
    """The reason of a refusal; empty where there was none."""
    try:
        act()
    except Refused as refused:
        return refused.reason
    return ""


def code(number: int) -> str:
    """A credit code with its check character."""
    body = f"91330100MA{number:07d}"
    return body + check_character(body)


def day(number: int) -> str:
    """A day so many from today."""
    return (clock.today() + timedelta(days=number)).isoformat()


def refused(act: Callable[[], object]) -> Refused:
    """The refusal that an act ends in."""
    with pytest.raises(Refused) as found:
        act()
    return found.value
