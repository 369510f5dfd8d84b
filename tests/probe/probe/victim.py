"""python -m probe.victim <service> <kind>: the very process, but it kills itself where TONGXIAO_FAULT says.

`TONGXIAO_FAULT=point:n` names a point of `probe.points` and at which passing of it, counted from one.
Nothing of this is in the product: functions are wrapped before the process begins.
"""

import inspect
import os
import signal
import sys
from collections.abc import Callable
from functools import wraps
from importlib import import_module
from itertools import count
from typing import Any

from chassis import process
from chassis.green import patch
from probe.points import POINTS

VARIABLE = "TONGXIAO_FAULT"


def arm(told: str) -> None:
    """Have this process die at the point."""
    name, _, number = told.rpartition(":")
    point, passings, armed = POINTS[name], count(1), [not POINTS[name].since]

    def pass_by(arguments: object) -> None:
        if armed[0] and point.saying in repr(arguments) and next(passings) == int(number):
            os.kill(os.getpid(), signal.SIGKILL)

    _wrap(point.target, before=pass_by if point.before else _nothing, after=_nothing if point.before else pass_by)
    if point.since:
        _wrap(point.since, before=_nothing, after=lambda _: armed.__setitem__(0, True))


def _nothing(_arguments: object) -> None:
    """Let pass."""


def _wrap(target: str, *, before: Callable[..., None], after: Callable[..., None]) -> None:
    module, _, path = target.partition(":")
    *parents, name = path.split(".")
    holder: Any = import_module(module)
    for parent in parents:
        holder = getattr(holder, parent)
    original = getattr(holder, name)

    @wraps(original)
    def call(*arguments: Any, **named: Any) -> Any:
        before((arguments, named))
        found = original(*arguments, **named)
        after((arguments, named))
        return found

    @wraps(original)
    async def call_async(*arguments: Any, **named: Any) -> Any:
        before((arguments, named))
        found = await original(*arguments, **named)
        after((arguments, named))
        return found

    setattr(holder, name, call_async if inspect.iscoroutinefunction(original) else call)


def main() -> None:
    service, kind, *rest = sys.argv[1:]
    if kind == "work":
        patch()
    arm(os.environ[VARIABLE])
    if service == "gateway":
        sys.argv = ["gateway", kind]
        import_module("gateway.__main__").main()
    else:
        process.main(service, [kind, *rest])


if __name__ == "__main__":
    main()
