"""How fast devices are, by what attempts took."""

from __future__ import annotations

import pytest
from sqlalchemy.orm import Session

from dna_engine.effort import DEFAULT_RATES, work
from dna_engine.events import Progress
from dna_engine.plans import Kind
from dna_engine.spec import parse_job
from store import flow, speeds
from store.speeds import Measured, fit
from store.tables import Worker
from tests.store.builders import finish_phase, new_search, new_worker, queued, take, two_groups

DISTILL, RATE = Kind.DISTILL, Kind.RATE


def on(name: str, host: str = "here") -> Worker:
    return Worker(hostname=host, device="cpu", device_name=name)


def test_of_what_nothing_is_known_is_as_fast_as_all() -> None:
    assert fit([], DISTILL).of(on("A")) == pytest.approx(DEFAULT_RATES[DISTILL])
    known = fit([Measured("A", "here/cpu", DISTILL, 1, 30.0)], DISTILL)
    assert known.of(on("A")) == pytest.approx(30.0)
    assert known.of(on("B")) == pytest.approx(30.0)


def test_devices_that_shared_a_job_are_told_apart_by_it() -> None:
    known = fit([Measured("A", "here/cpu", DISTILL, 1, 30.0), Measured("B", "there/cpu", DISTILL, 1, 10.0)], DISTILL)
    assert known.of(on("A")) / known.of(on("B", "there")) == pytest.approx(3, rel=0.05)


def test_machines_of_one_name_are_not_told_apart_by_jobs_of_their_own() -> None:
    """What one job does more in a second than another may be the job's."""
    apart = [Measured("A", "here/cpu", DISTILL, 1, 10.0), Measured("A", "there/cpu", DISTILL, 2, 20.0)]
    shared = [*apart, Measured("A", "here/cpu", DISTILL, 3, 10.0), Measured("A", "there/cpu", DISTILL, 3, 20.0)]
    ratios = [known.of(on("A", "there")) / known.of(on("A")) for known in (fit(apart, DISTILL), fit(shared, DISTILL))]
    assert ratios[0] < 1.3
    assert ratios[1] == pytest.approx(2, rel=0.1)


def test_another_kind_of_device_is_known_by_jobs_of_its_own() -> None:
    known = fit([Measured("A", "here/cpu", DISTILL, 1, 10.0), Measured("G", "there/cpu", DISTILL, 2, 500.0)], DISTILL)
    assert 20 < known.of(on("G", "there")) / known.of(on("A")) < 50


def test_a_new_machine_is_as_fast_as_others_of_its_name() -> None:
    measured = [Measured("A", "here/cpu", DISTILL, 1, 10.0), Measured("B", "there/cpu", DISTILL, 1, 40.0)]
    known = fit(measured, DISTILL)
    assert known.of(on("B", "new")) > 3 * known.of(on("A", "newer"))


def test_other_kinds_of_step_tell_less() -> None:
    """A device that is twice as fast at rating and as fast at distillation is that."""
    other = [Measured("A", "here/cpu", RATE, 1, 10.0), Measured("B", "there/cpu", RATE, 1, 20.0)]
    known = fit(other, DISTILL)
    assert 1.5 < known.of(on("B", "there")) / known.of(on("A")) < 2
    own = [Measured("A", "here/cpu", DISTILL, 1, 7.0), Measured("B", "there/cpu", DISTILL, 1, 7.0)]
    known = fit([*other, *own], DISTILL)
    assert known.of(on("B", "there")) / known.of(on("A")) == pytest.approx(1, abs=0.15)


def test_attempts_say_what_they_did_of_their_step(session: Session) -> None:
    """Of one that was given back that is a part, and the next goes on behind it."""
    search, worker = new_search(session), new_worker(session)
    finish_phase(session, search, worker)
    step = queued(session, search)[0]
    claim = take(session, step, worker)
    flow.report(session, claim, [Progress(done=1, total=4)], engine_seconds=10.0)
    flow.stop(session, claim, engine_seconds=0.0)
    whole = work(step.planned, parse_job(search.resolved))
    assert speeds.measured(session, DISTILL).of(worker) == pytest.approx(whole / 4 / 10.0)
    claim = take(session, step, worker)
    flow.succeed(session, claim, {}, [], engine_seconds=30.0, group=two_groups)
    assert speeds.measured(session, DISTILL).of(worker) == pytest.approx(whole / 4 / 10.0)


def test_an_attempt_that_came_no_further_tells_nothing(session: Session) -> None:
    """31 of 6,930 are another number in decimal digits than in binary ones: by that much it would have come further."""
    search, worker = new_search(session), new_worker(session)
    finish_phase(session, search, worker)
    step = queued(session, search)[0]
    claim = take(session, step, worker)
    flow.report(session, claim, [Progress(done=31, total=6930)], engine_seconds=10.0)
    flow.stop(session, claim, engine_seconds=0.0)
    known = speeds.measured(session, DISTILL).of(worker)
    flow.stop(session, take(session, step, worker), engine_seconds=10.0)
    assert speeds.measured(session, DISTILL).of(worker) == known


def test_short_attempts_tell_nothing(session: Session) -> None:
    """They begin, and little else."""
    search, worker = new_search(session), new_worker(session)
    finish_phase(session, search, worker)
    assert speeds.measured(session, DISTILL).of(worker) == pytest.approx(DEFAULT_RATES[DISTILL])
