"""`python -m deploy.local COMMAND`: what the Makefile's targets call once the first stage is done."""

import argparse
import sys
import time

from deploy.local import auditing, boot, seeding, summary, supervision, teardown, testing, trace_viewer
from deploy.local.instance import Instance, find
from deploy.local.profiles import PROFILES, RUN, TEST
from deploy.local.progress import SetupError, say


def main() -> int:
    arguments, rest = _parser().parse_known_args()
    try:
        return _dispatch(arguments, find(PROFILES[arguments.profile]), rest)
    except KeyboardInterrupt:
        say("  – interrupted; start again to go on")
        return 130
    except SetupError as error:
        say(f"  ✗ {error}")
        return 1


def _dispatch(arguments: argparse.Namespace, instance: Instance, rest: list[str]) -> int:
    match arguments.command:
        case "up":
            _up(instance)
        case "down":
            teardown.down(instance)
        case "reset":
            teardown.reset(instance)
        case "status":
            print(summary.status(instance))
        case "logs":
            _logs(instance, rest)
        case "verify-audit":
            return auditing.verify(instance)
        case "test":
            return testing.test(instance, rest)
        case "faults":
            # It loads what tests are made of, which nothing else here needs.
            from deploy.local import faults

            return faults.run(instance, rest)
        case "trace-viewer":
            trace_viewer.fetch_and_start(instance)
    return 0


def _up(instance: Instance) -> None:
    started = time.monotonic()
    boot.up(instance)
    if instance.profile.whole:
        seeding.seed(instance)
        trace_viewer.start_behind(instance)
    print(summary.ready(instance, time.monotonic() - started))


def _logs(instance: Instance, names: list[str]) -> None:
    known = {path.stem: path for path in sorted((instance.home / "log").glob("*.log"))}
    unknown = [name for name in names if name not in known]
    if unknown:
        raise SetupError(f"No log of {', '.join(unknown)}. There are: {', '.join(known) or 'none yet'}")
    supervision.follow([known[name] for name in names or known], 40)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="deploy.local", description="Tongxiao on one machine")
    commands = ["up", "down", "reset", "status", "logs", "verify-audit", "test", "faults", "trace-viewer"]
    parser.add_argument("command", choices=commands)
    parser.add_argument("profile", choices=[RUN.name, TEST.name])
    return parser


if __name__ == "__main__":
    sys.exit(main())
