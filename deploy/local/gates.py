"""Starts programs and holds on until they are healthy, or says which one is not and why."""

import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor

from deploy.local.instance import Instance
from deploy.local.programs import Program
from deploy.local.progress import SetupError, step, tail
from deploy.local.supervision import Supervisor

INTERVAL_SECONDS = 0.1
MOST_STARTS = 3
LOG_BYTES = 8000
ADVICE = "Mend the cause and start again: what is healthy stays up. `make stop` ends it, `make reset` empties it."


class Gate:
    def __init__(self, instance: Instance, supervisor: Supervisor) -> None:
        self._instance, self._supervisor = instance, supervisor

    def pass_all(self, title: str, programs: Sequence[Program]) -> None:
        """Start the programs together and return once every one is healthy."""
        if programs:
            self.start(programs)
            self.await_all(title, programs)

    def start(self, programs: Sequence[Program]) -> None:
        for program in programs:
            self._supervisor.start(program.name)

    def await_all(self, title: str, programs: Sequence[Program]) -> None:
        with step(title), ThreadPoolExecutor(max_workers=max(len(programs), 1)) as pool:
            for wait in [pool.submit(self._await, program) for program in programs]:
                wait.result()

    def _await(self, program: Program) -> None:
        deadline, starts = time.monotonic() + program.patience, set[int]()
        while not self._is_ready(program, starts):
            if time.monotonic() > deadline:
                raise self._failure(program, f"was not healthy within {program.patience:.0f} s")
            time.sleep(INTERVAL_SECONDS)

    def _is_ready(self, program: Program, starts: set[int]) -> bool:
        info = self._supervisor.info(program.name)
        starts.add(info["start"])
        if info["statename"] == "FATAL" or len(starts) > MOST_STARTS:
            raise self._failure(program, "keeps ending right after its start")
        if program.once:
            return self._has_ended_well(program, info["statename"], info["exitstatus"])
        return info["statename"] in {"STARTING", "RUNNING"} and (program.healthy is None or program.healthy())

    def _has_ended_well(self, program: Program, state: str, status: int) -> bool:
        if state == "EXITED" and status != 0:
            raise self._failure(program, f"ended with status {status}")
        return state == "EXITED"

    def _failure(self, program: Program, what: str) -> SetupError:
        log = self._instance.log(program.name)
        shown = tail(log.read_bytes()[-LOG_BYTES:].decode(errors="replace")) if log.exists() else "    (no log)"
        return SetupError(f"{program.name} {what}. The end of {log}:\n{shown}\n  {ADVICE}")
