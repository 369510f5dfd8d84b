"""python -m probe work | relay | migrate | backfill | reconcile | parked."""

from chassis.process import main

main("probe")
