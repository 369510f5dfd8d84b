"""The probe's settings."""

from chassis.settings import ProcessSettings


class Settings(ProcessSettings):
    """What the probe's processes take from the environment."""

    customers_target: str = ""
    probe_target: str = ""
