"""What a search that does not run waits for."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest
from sqlalchemy.orm import Session

from dna_engine.plans import Kind
from store import flow, waiting, workers
from store.tables import Worker
from store.workers import Condition
from tests.store.builders import finish_phase, new_search, new_training, new_worker, queued, take


def reason(session: Session, search_id: UUID) -> str | None:
    session.flush()
    return waiting.look(session, live_within=timedelta(seconds=30)).reason(search_id)


def test_without_a_worker_it_says_so_and_what_to_do(session: Session) -> None:
    search = new_search(session)
    assert reason(session, search.id) == "a worker; none is live (start one: dna worker, or dna up)"
    worker = new_worker(session)
    assert reason(session, search.id) is None
    workers.leave(session, worker.id)
    assert "none is live" in (reason(session, search.id) or "")


def test_a_worker_of_another_queue_is_none(session: Session) -> None:
    search = new_search(session)
    new_worker(session, queues=["cpu"])
    said = reason(session, search.id)
    assert said == "a worker that takes the queue gpu; none is live (start one: dna worker --queues gpu)"


def test_searches_before_it_are_counted_on_the_one_worker(session: Session) -> None:
    first, second, third = (new_search(session) for _ in range(3))
    worker = new_worker(session)
    assert [reason(session, search.id) for search in (first, second)] == [
        None,
        "1 job before it on the worker of here (cpu)",
    ]
    take(session, queued(session, first)[0], worker)
    assert reason(session, first.id) is None
    assert reason(session, third.id) == "2 jobs before it on the worker of here (cpu)"
    flow.cancel(session, second.id)
    assert reason(session, second.id) is None
    assert reason(session, third.id) == "1 job before it on the worker of here (cpu)"


def test_a_step_whose_worker_is_not_heard_of_waits_for_the_end_of_its_lease(session: Session) -> None:
    search, worker = new_search(session), new_worker(session)
    [step] = queued(session, search)
    take(session, step, worker)
    workers.leave(session, worker.id)
    assert "none is live" in (reason(session, search.id) or "")
    new_worker(session)
    session.refresh(step)
    assert step.lease_expires_at is not None
    end = f"{step.lease_expires_at.astimezone(UTC):%H:%M:%S}"
    said = reason(session, search.id)
    assert said == f"its worker, which is not heard of; what is left is free for others at {end} UTC"


def test_a_worker_that_is_left_over_will_take_it(session: Session) -> None:
    first, second = new_search(session), new_search(session)
    workers_ = [new_worker(session), new_worker(session)]
    take(session, queued(session, first)[0], workers_[0])
    assert reason(session, second.id) is None
    third = new_search(session)
    assert reason(session, third.id) == "2 jobs before it on 2 workers"


def test_a_later_search_that_has_the_worker_is_before_it(session: Session) -> None:
    """A step that runs is not interrupted for an older search."""
    first, worker = new_search(session), new_worker(session)
    finish_phase(session, first, worker)
    second = new_search(session)
    take(session, queued(session, second)[0], worker)
    assert first.phase == Kind.DISTILL
    assert reason(session, first.id) == "1 job before it on the worker of here (cpu)"


def unreached(session: Session, worker: Worker, *, running: UUID | None = None) -> None:
    workers.beat(session, worker, current_step_id=running, condition=Condition(redis_answers=False))
    session.flush()
    session.expire_all()


def test_workers_that_redis_does_not_answer_are_named(session: Session) -> None:
    first, second = new_search(session), new_search(session)
    cut_off = new_worker(session, hostname="far")
    unreached(session, cut_off)
    said = reason(session, first.id) or ""
    assert said.startswith("Redis, which does not answer the worker of far (cpu) (see whether its DNA_REDIS_URL")
    other = new_worker(session)
    assert reason(session, first.id) is None
    assert reason(session, second.id) == "1 job before it on the worker of here (cpu)"
    unreached(session, other)
    assert (reason(session, first.id) or "").startswith("Redis, which does not answer 2 workers")


def test_what_runs_on_a_worker_that_redis_no_longer_answers_takes_no_other(session: Session) -> None:
    first, second = new_search(session), new_search(session)
    cut_off, _ = new_worker(session, hostname="far"), new_worker(session)
    claim = take(session, queued(session, first)[0], cut_off)
    unreached(session, cut_off, running=claim.step_id)
    assert [reason(session, search.id) for search in (first, second)] == [None, None]


@pytest.mark.parametrize("waiting_step", [0, 1])
def test_one_step_that_runs_is_enough(session: Session, waiting_step: int) -> None:
    search, worker = new_search(session), new_worker(session)
    finish_phase(session, search, worker)
    take(session, queued(session, search)[waiting_step], worker)
    assert len(queued(session, search)) == 1
    assert reason(session, search.id) is None


def test_steps_that_wait_for_an_earlier_phase_take_no_worker(session: Session) -> None:
    first, worker = new_search(session), new_worker(session)
    finish_phase(session, first, worker)
    new_worker(session)
    lacking = take(session, queued(session, first)[0], worker)
    flow.lack(session, lacking, "teacher.json", {"code": "bad_input", "message": "", "param": None})
    second = new_search(session)
    assert reason(session, second.id) is None


def test_a_training_of_more_devices_than_any_worker_has_says_so(session: Session) -> None:
    training = new_training(session, devices=4)
    assert reason(session, training.id) == "a worker; none is live (start one: dna worker, or dna up)"
    new_worker(session, queues=["cpu"])
    says = "a worker that takes the queue gpu4; none is live (start one: dna worker --queues gpu --devices-per-step 4)"
    assert reason(session, training.id) == says
    new_worker(session, queues=["gpu", "gpu2"])
    says = "a worker with 4 devices; the live ones offer 2 (start one: dna worker --devices-per-step 4)"
    assert reason(session, training.id) == says
    new_worker(session, queues=["gpu", "gpu2", "gpu3", "gpu4"])
    assert reason(session, training.id) is None


def test_what_runs_on_its_only_worker_is_before_it_whatever_the_queue(session: Session) -> None:
    first, both = new_search(session), new_worker(session, hostname="two", queues=["gpu", "gpu2"])
    other, second = new_worker(session, queues=["gpu"]), new_search(session)
    take(session, queued(session, second)[0], other)
    training = new_training(session, devices=2)
    assert reason(session, training.id) is None
    take(session, queued(session, first)[0], both)
    assert reason(session, training.id) == "1 job before it on the worker of two (cpu)"


def test_too_few_devices_are_told_of(session: Session) -> None:
    live = [new_worker(session, queues=["gpu"]), new_worker(session, queues=["gpu", "gpu2"])]
    assert waiting.too_few_devices(2, waiting.most_devices(live)) == []
    [said] = waiting.too_few_devices(3, waiting.most_devices(live))
    assert waiting.too_few_devices(1, 0) == [], "that no worker takes the queue is said otherwise"
    assert said.startswith("3 devices are asked for, and no live worker offers more than 2")
    assert "dna worker --devices-per-step 3" in said


def positions(session: Session, *jobs: UUID) -> list[int | None]:
    session.flush()
    queues = waiting.look(session, live_within=timedelta(seconds=30))
    return [queues.wait(job_id).queue_position for job_id in jobs]


def test_jobs_stand_in_a_queue(session: Session) -> None:
    """Those that run or are over have no place in it, whether or not there is a worker."""
    first, second, third = (new_search(session) for _ in range(3))
    ids = (first.id, second.id, third.id)
    assert positions(session, *ids) == [1, 2, 3]
    take(session, queued(session, first)[0], new_worker(session))
    assert positions(session, *ids) == [None, 1, 2]
    flow.cancel(session, second.id)
    assert positions(session, *ids) == [None, None, 1]


def test_what_is_tried_again_later_holds_nobody_up(session: Session) -> None:
    first, second = new_search(session), new_search(session)
    queued(session, first)[0].available_at = datetime.now(UTC) + timedelta(hours=1)
    assert positions(session, first.id, second.id) == [None, 1]


def test_of_a_job_with_many_steps_one_place_is_counted(session: Session) -> None:
    first, worker = new_search(session), new_worker(session)
    finish_phase(session, first, worker)
    second = new_search(session)
    assert len(queued(session, first)) > 1
    assert positions(session, first.id, second.id) == [1, 2]


def test_queues_without_a_worker_are_named(session: Session) -> None:
    assert waiting.unmanned([]) == [waiting.NO_WORKER]
    live = [new_worker(session, queues=["gpu", "gpu2"])]
    [said] = waiting.unmanned(live)
    assert "takes the queue cpu" in said
    assert waiting.unmanned(live, ["gpu"]) == []
    other = new_worker(session, queues=["cpu"])
    assert waiting.unmanned([*live, other]) == []
    unreached(session, other)
    [said] = waiting.unmanned([*live, other])
    assert said.startswith("Redis answers no live worker that takes the queue cpu")
    assert waiting.unmanned([*live, other, new_worker(session, queues=["cpu"])]) == []
    unreached(session, live[0])
    [said] = waiting.unmanned([*live, other])
    assert said.startswith("Redis answers no live worker: jobs wait until it does")
