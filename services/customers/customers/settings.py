"""Settings of the customers service."""

from chassis.settings import ProcessSettings


class Settings(ProcessSettings):
    """What the processes of this service need beyond the chassis's settings."""

    # How many contacts a person may reveal a day, in their unit's zone.
    reveals_per_day: int = 50
