"""nameko's side of the chassis: workers that lose no event. Beside a service's worker.py, the only user of nameko.

A worker is a class with a `name` and methods:

    class Worker:
        name = "customers"

        @event_handler("identity", "person.changed.v1")
        def person_changed(self, session: Session, event: Envelope) -> None: ...

        @tick(every_s=60)
        def reconcile(self, engine: Engine) -> None: ...
"""

from chassis.messaging.handlers import event_handler
from chassis.messaging.ticks import tick

__all__ = ["event_handler", "tick"]
