"""python -m identity serve | work | relay | migrate | parked."""

from chassis.process import main

main("identity")
