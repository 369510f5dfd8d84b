"""The probe's settings: nothing beyond the chassis's."""

from chassis.settings import ProcessSettings


class Settings(ProcessSettings):
    """What the probe's processes take from the environment."""
