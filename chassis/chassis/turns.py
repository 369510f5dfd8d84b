"""Turns: what is looked at before it is done comes one by one, such as what is counted, or made under one id."""

from collections.abc import Iterable

from sqlalchemy import ARRAY, Text, bindparam, func, select
from sqlalchemy.orm import Session

_EXEMPT = {"reach": "a lock"}
_KEY = func.hashtextextended(bindparam("of", type_=Text()), 0)
_ALONE, _SHARED = select(func.pg_advisory_xact_lock(_KEY)), select(func.pg_advisory_xact_lock_shared(_KEY))


def wait(session: Session, what: str, of: object) -> None:
    """Go on when nobody else is at the same; others wait until this transaction ends, and then see what was done."""
    session.execute(_ALONE, {"of": f"{what}/{of}"}, execution_options=_EXEMPT)


def share(session: Session, what: str, of: object) -> None:
    """Go on, beside others who do so, when nobody is at the same alone; who comes for that waits for all of them."""
    session.execute(_SHARED, {"of": f"{what}/{of}"}, execution_options=_EXEMPT)


def wait_for_all(session: Session, what: str, of: Iterable[object]) -> None:
    """The same for several at once, in one order for everybody."""
    keys = bindparam(None, [f"{what}/{each}" for each in of], ARRAY(Text))
    if not keys.value:
        return
    key = func.unnest(keys).table_valued("key", name="keys").render_derived()
    hashed = func.hashtextextended(key.c.key, 0).label("hashed")
    ordered = key.select().with_only_columns(hashed).distinct().order_by(hashed).subquery()
    wanted = ordered.select().with_only_columns(func.count(func.pg_advisory_xact_lock(ordered.c.hashed)))
    session.execute(wanted, execution_options=_EXEMPT)
