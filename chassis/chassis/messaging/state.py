"""What a worker process knows of itself: engine, settings, progress, and whether it pauses for its database."""

import logging
import threading
import time
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import Engine, text
from sqlalchemy.exc import SQLAlchemyError

from chassis.leadership import Leadership
from chassis.messaging.copies import Copies
from chassis.settings import ProcessSettings

log = logging.getLogger(__name__)

KEY = "tongxiao"
PROBE_S = 1.0


@dataclass
class WorkerState:
    """Shared by all parts of a worker through nameko's configuration, under `KEY`."""

    engine: Engine
    settings: ProcessSettings
    connected: bool = False
    stopping: bool = False
    progressed_at: float = field(default_factory=time.monotonic)
    _open: threading.Event = field(default_factory=threading.Event)
    _probing: threading.Lock = field(default_factory=threading.Lock)

    def __post_init__(self) -> None:
        self._open.set()
        self.copies = Copies(self.settings.broker_url.get_secret_value())
        self.leadership = Leadership(self.settings.database_url.get_secret_value(), lock="ticks")
        # Bulk work never takes more than half of the handlers at once.
        self.bulk = threading.Semaphore(max(1, self.settings.max_workers // 2))

    @property
    def paused(self) -> bool:
        return not self._open.is_set()

    def progress(self) -> None:
        self.progressed_at = time.monotonic()

    def stop(self) -> None:
        """Start no further handler; who waits for the database is let go."""
        self.stopping = True
        self._open.set()

    def pause(self, reason: str) -> None:
        """Handle nothing more until the database answers again."""
        self._open.clear()
        if self._probing.acquire(blocking=False):
            log.warning("worker pauses: %s", reason)
            threading.Thread(target=self._probe, name="pause", daemon=True).start()

    def await_database(self) -> None:
        """Return at once unless the worker pauses; then, when it goes on."""
        self._open.wait()

    def broker_check(self) -> str:
        if not self.connected:
            raise ConnectionError
        return "consuming"

    def _probe(self) -> None:
        while not self._answers():
            time.sleep(PROBE_S)
        log.info("worker goes on")
        self.progress()
        self._probing.release()
        self._open.set()

    def _answers(self) -> bool:
        try:
            with self.engine.connect() as connection:
                return bool(connection.scalar(text("SELECT 1")))
        except SQLAlchemyError:
            self.engine.dispose()
            return False


def state_of(container: Any) -> WorkerState:
    found: WorkerState = container.config[KEY]
    return found
