"""Settings of the customers service."""

from pydantic import Field, SecretStr

from chassis.settings import ProcessSettings


class Settings(ProcessSettings):
    """What the processes of this service need beyond the chassis's settings."""

    # What contacts' keys are wrapped with, never to be lost or changed. `serve` and `jobs` need it.
    personal_key: SecretStr | None = Field(default=None, min_length=32)
    # How many contacts a person may reveal a day, in their unit's zone.
    reveals_per_day: int = 50
    # How often a person is told, a day, which unit has a customer beyond their reach, and may ask to join.
    duplicate_answers_per_day: int = 20
    join_requests_per_day: int = 20
    # How many days a registration is protected.
    registration_days: int = 90
