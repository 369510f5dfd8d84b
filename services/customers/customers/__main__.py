"""python -m customers serve | work | relay | migrate | backfill | reconcile | parked."""

from chassis.process import main

main("customers")
