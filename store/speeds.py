"""How fast workers are at a kind of step, by what finished attempts took.

An attempt did so much work (:func:`dna_engine.effort.work`) in so many seconds of its engine. That depends on the device, and on
what was worked on: small images keep a device less busy. So the logarithm of the rate is taken for a sum of what all share, of what
the device's name tells, of what its machine adds (other cores, other work beside it), and of what the job adds; each with a spread
that is known beforehand, as in a mixed model. Devices that worked on the same job are told apart by it, others by their rates; one that
nothing is known of is taken to be as fast as those of its name, else as all.
"""

from __future__ import annotations

import math
from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from sqlalchemy import select
from sqlalchemy.orm import Session, load_only

from dna_engine.effort import DEFAULT_RATES
from dna_engine.plans import Kind
from store.actors import EVERY_PROJECT
from store.tables import Attempt, Step, Worker

#: Attempts that are looked at, the latest.
LATEST = 200
#: Shorter ones, in seconds, tell how long an engine takes to begin.
AT_LEAST = 5.0

_READ = ("job_id", "hostname", "device", "device_name", "work", "engine_seconds")

#: Spread of what each part adds to the logarithm of a rate. A GPU is ten times a processor and more, jobs differ by half.
_NAME, _MACHINE, _JOB = 1.5, 0.3, 0.5
#: The same of single attempts: at steps of the kind in question, and of others, at which a device may be better or worse.
_OWN, _OTHER = 0.1, 0.4


@dataclass(frozen=True)
class Measured:
    """An attempt: on which device, at what, and giga-multiply-adds a second."""

    device_name: str
    machine: str
    kind: Kind
    job: Hashable
    rate: float


@dataclass(frozen=True)
class Speeds:
    """Giga-multiply-adds a second, of those that were measured: by device name, and for a machine what it adds to that."""

    shared: float
    names: Mapping[str, float]
    machines: Mapping[tuple[str, str], float]

    def of(self, worker: Worker) -> float:
        """Of a worker's device."""
        name = worker.device_name
        known = self.names.get(name, 0.0) + self.machines.get((name, machine(worker.hostname, worker.device)), 0.0)
        return math.exp(self.shared + known)


def machine(hostname: str, device: str) -> str:
    """Tells a device from others of its name."""
    return f"{hostname}/{device}"


def rates(session: Session, kind: Kind, of: Sequence[Worker]) -> list[float]:
    """How fast each of these workers is at steps of that kind."""
    known = measured(session, kind)
    return [known.of(worker) for worker in of]


def measured(session: Session, kind: Kind) -> Speeds:
    """How fast devices are at steps of that kind, whoever asked for what they did."""
    query = (
        select(Attempt, Step.kind)
        .join(Step, Step.id == Attempt.step_id)
        .where(Attempt.work > 0, Attempt.engine_seconds >= AT_LEAST)
        .options(load_only(*(getattr(Attempt, name) for name in _READ)))
        .order_by(Attempt.id.desc())
        .limit(LATEST)
    )
    rows = session.execute(query, execution_options=EVERY_PROJECT)
    return fit([_measured(attempt, at) for attempt, at in rows], kind)


def _measured(attempt: Attempt, kind: Kind) -> Measured:
    assert attempt.work is not None
    assert attempt.device_name is not None
    where = machine(attempt.hostname or "", attempt.device or "")
    return Measured(attempt.device_name, where, kind, attempt.job_id, attempt.work / attempt.engine_seconds)


def fit(attempts: Sequence[Measured], kind: Kind) -> Speeds:
    """The most probable parts: least squares in which each part pays for its size in units of its spread."""
    names = sorted({each.device_name for each in attempts})
    machines = sorted({(each.device_name, each.machine) for each in attempts})
    jobs = sorted({(str(each.job), each.kind) for each in attempts})
    column = {part: number for number, part in enumerate([*names, *machines, *jobs], start=1)}
    spreads = [_NAME] * len(names) + [_MACHINE] * len(machines) + [_JOB] * len(jobs)
    rows, wanted = [], []
    for each in attempts:
        weight = 1 / (_OWN if each.kind == kind else _OTHER)
        row = np.zeros(1 + len(column))
        parts = (each.device_name, (each.device_name, each.machine), (str(each.job), each.kind))
        row[[0, *(column[part] for part in parts)]] = weight
        rows.append(row)
        wanted.append(weight * math.log(each.rate / DEFAULT_RATES[each.kind]))
    for number, spread in enumerate(spreads, start=1):
        row = np.zeros(1 + len(column))
        row[number] = 1 / spread
        rows.append(row)
        wanted.append(0.0)
    found = np.linalg.lstsq(np.array(rows), np.array(wanted))[0] if attempts else np.zeros(1)
    return Speeds(
        shared=float(found[0]) + math.log(DEFAULT_RATES[kind]),
        names={name: float(found[column[name]]) for name in names},
        machines={part: float(found[column[part]]) for part in machines},
    )
