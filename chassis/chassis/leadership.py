"""One leader among a service's processes: who holds an advisory lock, for as long as their connection lasts."""

import threading
from typing import Any

import psycopg
from sqlalchemy import make_url

from chassis.database import ALIVE


class Leadership:
    """A claim to a lock in the service's database. Asking costs a round trip; losing the connection loses the lead."""

    def __init__(self, url: str, *, lock: str) -> None:
        self._url = make_url(url).set(drivername="postgresql").render_as_string(hide_password=False)
        self._lock = lock
        self._connection: psycopg.Connection | None = None
        self._asking = threading.Lock()

    def held(self) -> bool:
        """Whether this process leads now; it tries to, if nobody does."""
        with self._asking:
            try:
                return self._still() or self._claim()
            except psycopg.Error:
                self._give_up()
                return False

    def close(self) -> None:
        with self._asking:
            self._give_up()

    def _still(self) -> bool:
        return self._connection is not None and bool(self._connection.execute("SELECT 1"))

    def _claim(self) -> bool:
        options = "-c tcp_keepalives_idle=10 -c tcp_keepalives_interval=5 -c tcp_keepalives_count=3"
        self._connection = psycopg.connect(
            self._url, autocommit=True, connect_timeout=5, options=options, application_name=self._lock, **ALIVE
        )
        found: Any = self._connection.execute("SELECT pg_try_advisory_lock(hashtext(%s))", (self._lock,)).fetchone()
        if not found[0]:
            self._give_up()
        return bool(found[0])

    def _give_up(self) -> None:
        if self._connection is not None:
            self._connection.close()
            self._connection = None
