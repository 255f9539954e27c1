"""One storm from its beginning to its end, and what is to be said of it."""

from __future__ import annotations

import os
import resource
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from tests.chaos.storm.checks import orphans, wrongs
from tests.chaos.storm.plan import Fault
from tests.chaos.storm.rig import storm_rig
from tests.chaos.storm.storm import Storm
from tests.chaos.storm.users import Users
from tests.e2e.service import wait_for


@dataclass
class Report:
    """Attributes:
    done: faults by kind.
    impossible: kinds that cannot be done on this machine, and why.
    jobs: that were to succeed, to be cancelled, to be deleted.
    attempts: at how many steps so many attempts were made.
    answers: of the API to users, by status; 0: none.
    seconds: of wall time, by part.
    cpu_seconds: of all processes.
    """

    faults: Sequence[Fault]
    done: dict[str, int] = field(default_factory=dict)
    impossible: dict[str, str] = field(default_factory=dict)
    jobs: tuple[int, int, int] = (0, 0, 0)
    attempts: dict[int, int] = field(default_factory=dict)
    answers: dict[int, int] = field(default_factory=dict)
    seconds: dict[str, float] = field(default_factory=dict)
    cpu_seconds: float = 0.0
    wrongs: list[str] = field(default_factory=list)

    def __str__(self) -> str:
        lines = [
            f"faults    {sum(self.done.values())}: " + _counts(self.done),
            "not here  " + (", ".join(f"{kind} ({why})" for kind, why in self.impossible.items()) or "none"),
            "jobs      {} to succeed, {} to be cancelled, {} to be deleted".format(*self.jobs),
            f"attempts  {_counts(self.attempts)} (attempts: steps)",
            f"answers   {_counts(self.answers)} (status: answers)",
            "seconds   " + ", ".join(f"{name} {seconds:.0f}" for name, seconds in self.seconds.items()),
            f"cpu       {self.cpu_seconds:.0f} s of all processes that were waited for",
            f"wrong     {len(self.wrongs)}",
        ]
        return "\n".join([*lines, *(f"  {wrong}" for wrong in self.wrongs)])


def storm(folder: Path, faults: Sequence[Fault], say: Callable[[str], None] = print) -> Report:
    """Runs the same jobs undisturbed and in a storm of these faults, and says what was wrong. ``folder`` is empty and keeps the logs."""
    report, clock, began = Report(faults), _Clock(), _cpu()
    with storm_rig(folder) as rig:
        rig.start()
        report.seconds["start"] = clock.lap()
        users = Users(rig)
        calm = users.make_all()
        users.running.clear()
        raging = Storm(rig, users, say)
        wait_for(lambda: not raging.open_jobs(*calm))
        report.seconds["calm"] = clock.lap()
        raging.rage(faults)
        report.seconds["storm"] = clock.lap()
        if not raging.settle():
            report.wrongs += rig.ended or ["not all was quiet in time"]
        report.seconds["settle"] = clock.lap()
        report.wrongs += wrongs(raging, calm)
        _tell(report, raging)
        users.close()
        rig.leave()
        report.wrongs += orphans(raging)
        report.seconds["checks"] = clock.lap()
    report.cpu_seconds = _cpu() - began
    return report


def _tell(report: Report, storm: Storm) -> None:
    report.done, report.impossible = dict(storm.done), storm.impossible
    report.jobs = (len(storm.users.running), len(storm.users.cancelled), len(storm.users.deleted))
    report.answers = dict(sorted(storm.users.answers.items()))
    attempts = "SELECT fence, count(*) FROM steps GROUP BY fence ORDER BY fence"
    report.attempts = {row.fence: row.count for row in storm.rig.look(attempts)}


class _Clock:
    def __init__(self) -> None:
        self._at = time.monotonic()

    def lap(self) -> float:
        before, self._at = self._at, time.monotonic()
        return self._at - before


def _cpu() -> float:
    """Of this process and all below it that were waited for; what a killed process had below it has gone to another parent."""
    own, others = os.times(), resource.getrusage(resource.RUSAGE_CHILDREN)
    return own.user + own.system + others.ru_utime + others.ru_stime


def _counts(counts: dict[str, int] | dict[int, int]) -> str:
    return ", ".join(
        f"{name} {count}" if isinstance(name, str) else f"{name}: {count}" for name, count in counts.items()
    )
