"""python -m demo seed: fill a fresh installation, once; safe to repeat."""

import os
import random
import sys
import time
from pathlib import Path

from sqlalchemy import Engine

from chassis import clock
from chassis.database import connect
from demo import company, signing_in, trade
from identity import bootstrap

SEED = 20260101


def main() -> None:
    if sys.argv[1:] != ["seed"]:
        sys.exit("usage: python -m demo seed")
    started = time.monotonic()
    dice = random.Random(SEED)  # noqa: S311
    made = company.build(dice)
    bootstrap.plant(_engine("identity"), made.organisation())
    _say(started, f"{len(made.units)} units, {len(made.people)} people")
    trade.write(_engine("customers"), made, dice, clock.today())
    _say(started, f"{trade.CUSTOMERS} customers, {trade.RECORDS} contact records")
    signing_in.prepare(_engine("identity"), made, Path(os.environ["TONGXIAO_SIGN_INS_FILE"]))
    _say(started, "sign-ins")


def _engine(database: str) -> Engine:
    server = os.environ["TONGXIAO_POSTGRES_URL"].rpartition("/")[0].replace("postgresql://", "postgresql+psycopg://")
    return connect(f"{server}/{database}", name="demo", pool_size=1, statement_timeout_ms=0)


def _say(started: float, what: str) -> None:
    print(f"    {what}   {time.monotonic() - started:.0f} s", flush=True)


main()
