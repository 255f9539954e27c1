"""Does one fault after another while jobs run, and waits until what they are to come to has come."""

from __future__ import annotations

import itertools
import threading
import time
from collections import Counter
from collections.abc import Callable, Sequence
from contextlib import suppress
from random import Random
from typing import TypeVar
from uuid import UUID

import psutil

from store.states import FINISHED, JobState
from tests.chaos.storm.jobs import SPECS
from tests.chaos.storm.plan import Fault
from tests.chaos.storm.rig import Rig
from tests.chaos.storm.users import Users
from tests.e2e.service import wait_for

T = TypeVar("T")

#: So many jobs are open at any time, at least: something for each machine.
OPEN = 2
#: What all jobs together may take to end once nothing hinders them.
SETTLE_SECONDS = 600.0
#: For so long a fault chooses anew where what it chose ends before it is done.
CHOOSE_SECONDS = 60.0


class Impossible(Exception):
    """A fault cannot be done on this machine; says why."""


class Storm:
    """Attributes:
    done: faults by kind.
    impossible: kinds that cannot be done on this machine, and why.
    offences: what faults have seen that must not be.
    to_resume, to_delete: jobs of which that is still to be done, which takes until they have stopped.
    """

    def __init__(self, rig: Rig, users: Users, say: Callable[[str], None] = print) -> None:
        self.rig = rig
        self.users = users
        self.done: Counter[str] = Counter()
        self.impossible: dict[str, str] = {}
        self.offences: list[str] = []
        self.to_resume: dict[UUID, str] = {}
        self.to_delete: dict[UUID, str] = {}
        self._say = say
        self._timers: list[threading.Timer] = []
        self._routes = itertools.cycle(SPECS)
        self._began = time.monotonic()

    def rage(self, faults: Sequence[Fault]) -> None:
        from tests.chaos.storm.faults import KINDS  # They know the storm.

        for number, fault in enumerate(faults):
            time.sleep(fault.pause)
            while len(self.open_jobs()) < OPEN:
                route = next(self._routes)
                self.users.running[self.users.make(route)] = route
            self.say(f"{number + 1:3} {fault.kind}: {self._do(KINDS[fault.kind], fault)}")
            self.tend()

    def settle(self) -> bool:
        """Waits for the end of all jobs; whether it has come."""
        for timer in self._timers:
            timer.join()
        self.rig.clock.step(0)
        self.rig.proxy.lose_nothing()
        self.say("the storm is over")
        deadline = time.monotonic() + SETTLE_SECONDS
        while time.monotonic() < deadline and not self.rig.ended:
            self.tend()
            if not (self.to_resume or self.to_delete or self.open_jobs(*self.users.cancelled)) and self.rig.all_there():
                self.say("all is quiet")
                return True
            time.sleep(0.2)
        return False

    def _do(self, kind: Callable[[Storm, Random], str], fault: Fault) -> str:
        deadline = time.monotonic() + CHOOSE_SECONDS
        while True:
            try:
                told = kind(self, Random(fault.draw))
            except Impossible as error:
                self.impossible[fault.kind] = str(error)
                return f"not here, {error}"
            except (psutil.NoSuchProcess, ProcessLookupError):  # What it had chosen has just ended.
                if time.monotonic() > deadline:  # By itself, and for good.
                    raise
                time.sleep(0.2)
                continue
            self.done[fault.kind] += 1
            return told

    def one_of(self, find: Callable[[], Sequence[T]], chance: Random) -> T:
        """One of what is found; waits until there is any."""
        found: Sequence[T] = []

        def some() -> bool:
            nonlocal found
            found = find()
            return bool(found)

        wait_for(some)
        return chance.choice(found)

    def later(self, seconds: float, work: Callable[[], object]) -> None:
        """Does something while the storm goes on."""

        def run() -> None:
            with suppress(psutil.NoSuchProcess):  # Something else has ended it meanwhile.
                work()

        timer = threading.Timer(seconds, run)
        timer.start()
        self._timers.append(timer)

    def tend(self) -> None:
        """Resumes and deletes what has stopped since."""
        for job, route in list(self.to_resume.items()):
            if self.state(job) in (JobState.QUEUED, JobState.RUNNING):
                continue
            self.users.insist("POST", f"/{route}/{job}/resume")
            del self.to_resume[job]
        for job, route in list(self.to_delete.items()):
            state = self.state(job)
            if state not in FINISHED:
                self.users.insist("POST", f"/{route}/{job}/cancel")
            elif self.users.insist("DELETE", f"/{route}/{job}").status_code in (204, 404):
                self.users.deleted.append(job)
                del self.to_delete[job]

    def open_jobs(self, *more: UUID) -> list[UUID]:
        """Of those that are to succeed, and ``more``, the ones that have not ended."""
        open_ = "SELECT id FROM jobs WHERE id = ANY(:jobs) AND state IN ('queued', 'running') ORDER BY id"
        return [job for (job,) in self.rig.look(open_, jobs=[*self.users.running, *more])]

    def state(self, job: UUID) -> JobState | None:
        """None of one that is gone."""
        found = self.rig.look("SELECT state FROM jobs WHERE id = :job", job=job)
        return JobState(found[0].state) if found else None

    def say(self, what: str) -> None:
        self._say(f"{time.monotonic() - self._began:6.1f} {what}")
