"""Lists, page by page, in one order, from where the token of the page before left off."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from sqlalchemy import Select, literal, tuple_
from sqlalchemy.orm import Session

from chassis import tokens
from chassis.call import Call
from chassis.database import ANEW
from chassis.ids import NIL
from chassis.listing import Listing, Narrowing, Order
from chassis.search import Search

DEFAULT_SIZE, MAX_SIZE, COUNTED = 50, 200, 1000


@dataclass(frozen=True)
class Page:
    """The ids of one page, in order, and the token of the next, if there is one."""

    ids: list[UUID]
    next_token: str


def page(
    call: Call,
    listing: Listing,
    *,
    order: Order,
    narrowing: Narrowing,
    request: Any,
    within: Sequence[UUID] | None = None,
) -> Page:
    """One page of what the caller reads, or of the ids `within`, which are known to be read.

    Refuses PAGE_TOKEN_INVALID a token of another request, of another person or of another's making.
    """
    size = min(request.page_size or DEFAULT_SIZE, MAX_SIZE)
    mark = tokens.fingerprint(call, request)
    after = tokens.read_token(request.page_token, mark) if request.page_token else None
    search = Search(listing, call.read_scope, order, narrowing, after, size + 1, within)
    found = search.rows(call.session)
    token = tokens.token_of(found[size - 1].sort_key, found[size - 1].id, mark) if len(found) > size else ""
    return Page([row.id for row in found[:size]], token)


def count(call: Call, listing: Listing, *, order: Order, narrowing: Narrowing) -> tuple[int, bool]:
    """How many there are, exact up to 1,000, and whether there are more."""
    found = Search(listing, call.read_scope, order, narrowing, None, COUNTED + 1).count(call.session)
    return min(found, COUNTED), found > COUNTED


class Cursor:
    """One page of a statement that has few rows in reach or an index of its own: keyset, by the session's reach."""

    def __init__(self, call: Call, request: Any, order: Order) -> None:
        self._mark = tokens.fingerprint(call, request)
        self._after = tokens.read_token(request.page_token, self._mark) if request.page_token else None
        self._size = min(request.page_size or DEFAULT_SIZE, MAX_SIZE)
        self._order = order

    def page(self, session: Session, statement: Select[Any], entity: Any) -> tuple[Sequence[Any], str]:
        """The page's rows and the token of the next."""
        key, id_ = getattr(entity, self._order.column), entity.id
        if self._after:
            beyond, mark = tuple_(key, id_), tuple_(literal(self._after[0], key.type), self._after[1])
            statement = statement.where(beyond < mark if self._order.descending else beyond > mark)
        by = [key.desc(), id_.desc()] if self._order.descending else [key, id_]
        found = session.scalars(statement.order_by(*by).limit(self._size + 1), execution_options=ANEW).all()
        if len(found) <= self._size:
            return found, ""
        last = found[self._size - 1]
        return found[: self._size], tokens.token_of(getattr(last, self._order.column), last.id, self._mark)


def of_sorted(call: Call, request: Any, rows: Sequence[tuple[str, UUID]]) -> Page:
    """One page of what is at hand already, as keys and ids in order."""
    mark = tokens.fingerprint(call, request)
    after = tokens.read_token(request.page_token, mark) if request.page_token else ("", NIL)
    size = min(request.page_size or DEFAULT_SIZE, MAX_SIZE)
    found = [row for row in rows if row > after][: size + 1]
    token = tokens.token_of(*found[size - 1], mark) if len(found) > size else ""
    return Page([id_ for _, id_ in found[:size]], token)
