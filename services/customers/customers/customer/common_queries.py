"""How common a query is, as far as the database's statistics know: counting a million matches takes a while."""

import time
from dataclasses import dataclass
from typing import Any
from weakref import WeakKeyDictionary

from sqlalchemy import text
from sqlalchemy.orm import Session

from customers import search
from customers.customer import match_queries

KEPT_S = 60.0
# Statistics are of a sample and of some hours ago: only what is so many times as much as is ranked is sure to be more.
SURELY = 2

_SHARES = text("""
    SELECT gram, share FROM pg_stats, unnest(most_common_elems::text::text[], most_common_elem_freqs) AS e (gram, share)
    WHERE schemaname = 'public' AND tablename = 'customers' AND attname = 'search' AND gram IS NOT NULL
""")
_ROWS = text("""
    SELECT (SELECT reltuples FROM pg_class WHERE oid = 'public.customers'::regclass),
        (SELECT reltuples FROM pg_class WHERE oid = 'public.ix_customers_sort_name'::regclass)
""")
_STATISTICS = {"reach": "statistics of the whole table"}


@dataclass(frozen=True)
class Statistics:
    """How many customers there are, how many of them are not deleted, and the share of them with each bigram."""

    rows: float
    live: float
    shares: dict[str, float]


_known: WeakKeyDictionary[Any, tuple[float, Statistics]] = WeakKeyDictionary()


def share_of(session: Session, query: str) -> float:
    """The share of customers with every bigram of a query, at least; 0 where those might be few enough to be ranked.

    What fails to have one bigram is no more than the sum of what lacks each; the deleted may all be among the rest.
    """
    known, grams = _kept(session), search.bigrams(query)
    lacking = sum(1 - known.shares.get(gram, 0) for gram in grams)
    least = known.rows * (1 - lacking) - (known.rows - known.live)
    return least / known.live if grams and least >= SURELY * match_queries.RARE else 0


def _kept(session: Session) -> Statistics:
    """What was read within the last minute."""
    engine, now = session.get_bind(), time.monotonic()
    read_at, known = _known.get(engine, (0.0, None))
    if known is None or now - read_at > KEPT_S:
        known = _read(session)
        _known[engine] = now, known
    return known


def _read(session: Session) -> Statistics:
    shares = {row.gram: row.share for row in session.execute(_SHARES, execution_options=_STATISTICS)}
    rows, live = session.execute(_ROWS, execution_options=_STATISTICS).one()
    return Statistics(rows, live, shares)
