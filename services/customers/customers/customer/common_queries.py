"""How common a query is, as far as the database's statistics know: counting a million matches takes a while."""

import math
import time
from collections.abc import Mapping
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
    shares: Mapping[str, float]

    def is_common(self, query: str) -> bool:
        """Whether surely more match than are ranked.

        Those that lack one of the bigrams are no more than all that lack each; the deleted may all be among the rest.
        """
        lacking = sum(1 - self.shares.get(gram, 0) for gram in search.bigrams(query))
        least = self.rows * (1 - lacking) - (self.rows - self.live)
        return bool(query) and least >= SURELY * match_queries.RARE

    def expected(self, query: str) -> float:
        """The share of customers that match, as far as words do not depend on each other."""
        words = [grams for word in query.split() if (grams := search.bigrams(word))]
        return math.prod(min(self.shares.get(gram, 0.0) for gram in grams) for grams in words)


_known: WeakKeyDictionary[Any, tuple[float, Statistics]] = WeakKeyDictionary()


def statistics(session: Session) -> Statistics:
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
