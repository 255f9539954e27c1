"""Messages are written with what they tell of, claimed by one sender at a time, and end."""

from __future__ import annotations

import json
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import func, select, text, update
from sqlalchemy.exc import OperationalError
from sqlalchemy.orm import Session

from dna_engine.images.check.report import Report
from dna_engine.images.info import DIGITS
from dna_engine.plans.results import Checked
from dna_engine.spec import ResolvedCheck
from dna_engine.spec.check import ArchiveLimits
from store import datasets, deliveries, flow, jobs, keys, notices, projects, webhooks
from store.deliveries import Outcome, Patience, Taken
from store.errors import IllegalTransition, NotFound
from store.session import Sessions, clock, transaction
from store.states import DeliveryState
from store.tables import Delivery, Job, Webhook
from tests.store.builders import (
    finish_phase,
    new_search,
    new_training,
    new_tuning,
    new_webhook,
    new_worker,
    phases,
    queued,
    take,
    two_groups,
)

PATIENCE = Patience(pauses=[1.0, 2.0], given_up=2)
OH: dict[str, Any] = {"code": "worker_error", "message": "Oh.", "param": None}
WELL = Outcome(0.1, 204, "", None)
ILL = Outcome(0.1, 500, "no", "It answered 500.")


def told(session: Session, webhook: Webhook | None = None) -> list[str]:
    query = select(Delivery.event).order_by(Delivery.id)
    return list(session.scalars(query if webhook is None else query.where(Delivery.webhook_id == webhook.id)))


def message(session: Session, webhook: Webhook) -> Delivery:
    return deliveries.put(session, webhook, notices.of_test(session, webhook.id))


def taken(session: Session, *, limit: int = 100, lease_seconds: float = 60.0) -> list[Taken]:
    return deliveries.take(session, limit=limit, lease_seconds=lease_seconds)


def later(session: Session, seconds: float) -> None:
    """All that waits does so for that much longer already."""
    session.execute(update(Delivery).values(next_at=Delivery.next_at - timedelta(seconds=seconds)))
    session.expire_all()


def state(session: Session, delivery: Delivery) -> DeliveryState:
    session.refresh(delivery)
    return delivery.state


def test_a_search_is_told_of_from_beginning_to_end(session: Session) -> None:
    new_webhook(session)
    search, worker = new_search(session), new_worker(session)
    for _ in phases(search):
        finish_phase(session, search, worker)
    steps = ["search.phase"] * (len(phases(search)) - 1)
    assert told(session) == ["search.created", "search.running", *steps, "search.succeeded"]
    begun = session.scalars(select(Delivery.body).where(Delivery.event == "search.running")).one()
    told_of = json.loads(begun)["data"]
    assert (told_of["state"], told_of["started_at"]) == ("running", f"{search.started_at:%Y-%m-%dT%H:%M:%S.%fZ}")
    last = json.loads(session.scalars(select(Delivery.body).order_by(Delivery.id.desc()).limit(1)).one())
    assert list(last) == ["type", "timestamp", "data"]
    assert last["data"] | {"state": "succeeded", "progress": 1.0, "path": f"/searches/{search.id}"} == last["data"]
    notices.JobMessage.model_validate(last)


def test_what_fails_is_stopped_or_goes_on_is_told(session: Session) -> None:
    new_webhook(session)
    search, worker = new_search(session, max_attempts=1), new_worker(session)
    claim = take(session, queued(session, search)[0], worker)
    flow.fail(session, claim, OH, engine_seconds=1.0, retry=False)
    flow.resume(session, search.id)
    claim = take(session, queued(session, search)[0], worker)
    flow.cancel(session, search.id)  # Asked to stop: neither its state nor its phase is another yet.
    flow.stop(session, claim, engine_seconds=1.0)
    assert told(session) == [
        f"search.{change}" for change in ("created", "running", "failed", "resumed", "running", "cancelled")
    ]
    body = session.scalars(select(Delivery.body).where(Delivery.event == "search.failed")).one()
    assert json.loads(body)["data"]["error"] == {**OH, "step": "teacher"}


def test_jobs_of_every_kind_are_told_of_by_their_names(session: Session) -> None:
    search, training, tuning = (
        new_webhook(session, events=["search.*"]),
        new_webhook(session, events=["training.*"]),
        new_webhook(session, events=["tuning.created"]),
    )
    new_training(session)
    new_tuning(session)
    assert set(told(session, search)) == {"search.created", "search.cancelled"}
    assert told(session, training) == ["training.created"]
    assert told(session, tuning) == ["tuning.created"]


@pytest.mark.parametrize("usable", [True, False])
def test_what_came_of_a_dataset_is_told(session: Session, usable: bool) -> None:
    new_webhook(session)
    spec = ResolvedCheck(
        name="birds",
        seed=0,
        labels={},
        version=1,
        folder="/birds",
        archive=ArchiveLimits(total_bytes=1, entries=1),
        decoding_bytes=1,
    )
    dataset = datasets.begin(session, spec, None, max_attempts=1)
    claim = take(session, queued(session, session.get_one(Job, dataset.id))[0], new_worker(session))
    if usable:
        found = Checked(info=DIGITS, fingerprint="f", report=Report(splits={"train": 2}, classes=[]))
        flow.succeed(session, claim, found.model_dump(mode="json"), [], engine_seconds=1.0, group=two_groups)
    else:
        flow.fail(session, claim, OH, engine_seconds=1.0, retry=False)
    assert told(session) == ["dataset.ready" if usable else "dataset.rejected"]
    said = json.loads(session.scalars(select(Delivery.body)).one())["data"]
    assert (said["name"], said["project"], said["state"]) == ("birds", "default", "ready" if usable else "rejected")
    assert said["error"] == (None if usable else {**OH, "step": "check"})


def test_only_those_are_told_who_want_to_be(session: Session) -> None:
    ends = new_webhook(session, events=["*.cancelled", "tuning.*"])
    mine = new_webhook(session, labels={"team": "vision"})
    off = new_webhook(session, enabled=False)
    for labels in ({"team": "vision", "more": "x"}, {"team": "sound"}):
        flow.cancel(session, new_search(session, labels=labels).id)
    assert told(session, ends) == ["search.cancelled"] * 2
    assert told(session, mine) == ["search.created", "search.cancelled"]
    assert told(session, off) == []


def test_what_is_rolled_back_is_told_to_nobody(sessions: Sessions) -> None:
    with transaction(sessions) as session:
        new_webhook(session)
    with sessions() as session:
        new_search(session)
        assert told(session) == ["search.created"]
        session.rollback()
    with transaction(sessions) as session:
        assert told(session) == []


def test_a_message_is_claimed_by_one_sender_at_a_time(sessions: Sessions) -> None:
    with transaction(sessions) as session:
        delivery = message(session, new_webhook(session))
    with transaction(sessions) as session:
        (first,) = taken(session)
    with transaction(sessions) as session:
        assert taken(session) == []
        session.execute(update(Delivery).values(lease_expires_at=clock(session)))
    with transaction(sessions) as session:
        (second,) = taken(session)
        assert (second.id, second.attempt, second.body) == (first.id, 2, first.body)
    with transaction(sessions) as session:
        deliveries.settle(session, first, ILL, PATIENCE)  # Its sender was thought dead, and writes nothing any more.
        deliveries.settle(session, second, WELL, PATIENCE)
    with transaction(sessions) as session:
        assert deliveries.get(session, delivery.webhook_id, delivery.id).state == DeliveryState.DELIVERED


def test_senders_that_claim_at_the_same_moment_share_the_work(sessions: Sessions) -> None:
    with transaction(sessions) as session:
        for _ in range(20):
            message(session, new_webhook(session))

    def claim_all(_: int) -> list[UUID]:
        mine: list[UUID] = []
        while True:
            with transaction(sessions) as session:
                found = taken(session, limit=3)
            mine += [each.id for each in found]
            with transaction(sessions) as session:
                for each in found:
                    deliveries.settle(session, each, WELL, PATIENCE)
                waits = session.scalar(select(Delivery.id).where(Delivery.state == DeliveryState.PENDING).limit(1))
            if waits is None:
                return mine

    with ThreadPoolExecutor(4) as pool:
        claimed = [one for each in pool.map(claim_all, range(4)) for one in each]
    assert len(claimed) == len(set(claimed)) == 20


def test_one_webhook_is_sent_few_messages_at_once(session: Session) -> None:
    busy, other = new_webhook(session), new_webhook(session)
    for _ in range(5):
        message(session, busy)
    last = message(session, other)
    first = taken(session)
    assert len(first) == deliveries.AT_ONCE + 1
    assert last.id in {each.id for each in first}
    assert taken(session) == []
    for each in first:
        deliveries.settle(session, each, WELL, PATIENCE)
    assert len(taken(session, limit=1)) == 1


def test_one_project_is_sent_no_more_than_its_share_at_once(session: Session) -> None:
    """A project with many webhooks, all of them slow, keeps no other waiting."""
    other = projects.joined(session, "other")
    for _ in range(deliveries.AT_ONCE_OF_PROJECT):
        busy = new_webhook(session)
        for _ in range(deliveries.AT_ONCE):
            message(session, busy)
    theirs = new_webhook(session)
    theirs.project_id = other
    last = message(session, theirs)
    first = taken(session)
    assert len(first) == deliveries.AT_ONCE_OF_PROJECT + 1
    assert last.id in {each.id for each in first}
    assert taken(session) == []
    deliveries.settle(session, next(each for each in first if each.id != last.id), WELL, PATIENCE)
    assert len(taken(session)) == 1


def test_what_is_not_taken_is_tried_again_and_then_given_up(session: Session) -> None:
    webhook = new_webhook(session)
    delivery = message(session, webhook)
    for pause in PATIENCE.pauses:
        assert_waits(session, delivery, ILL, 1.1 * pause, longer=0.1)
        assert taken(session) == []
        later(session, 3.0)
    (attempt,) = taken(session)
    deliveries.settle(session, attempt, ILL, PATIENCE)
    assert (state(session, delivery), delivery.attempt, delivery.next_at) == (DeliveryState.FAILED, 3, None)
    assert (delivery.status_code, delivery.answer, delivery.error) == (500, "no", "It answered 500.")
    session.refresh(webhook)
    assert (webhook.failures, webhook.enabled) == (1, True)


@pytest.mark.parametrize(
    ("asked", "pause"),
    [
        pytest.param(None, 60.0, id="as planned"),
        pytest.param(0.0, 60.0, id="sooner"),
        pytest.param(100.0, 100.0, id="later"),
        pytest.param(1e300, 300.0, id="later than any"),
        pytest.param(float("inf"), 300.0, id="never"),
    ],
)
def test_a_receiver_that_asks_for_a_pause_has_it_within_reason(
    session: Session, asked: float | None, pause: float
) -> None:
    delivery = message(session, new_webhook(session))
    busy = Outcome(0.1, 503, "", "It answered 503.", retry_after=asked)
    assert_waits(session, delivery, busy, pause, patience=Patience(pauses=[60.0, 300.0], given_up=2))


def assert_waits(
    session: Session,
    delivery: Delivery,
    outcome: Outcome,
    pause: float,
    *,
    longer: float = 0.0,
    patience: Patience = PATIENCE,
) -> None:
    """The message waits for so many seconds after that attempt."""
    (attempt,) = taken(session)
    before = clock(session)
    deliveries.settle(session, attempt, outcome, patience, longer=longer)
    after = clock(session)
    session.refresh(delivery)
    assert delivery.next_at is not None
    rounding = timedelta(milliseconds=1)
    assert before - rounding <= delivery.next_at - timedelta(seconds=pause) <= after + rounding


def give_up(session: Session, webhook: Webhook) -> None:
    delivery = message(session, webhook)
    session.execute(update(Delivery).where(Delivery.id == delivery.id).values(attempt=len(PATIENCE.pauses)))
    settle_next(session, ILL)


def settle_next(session: Session, outcome: Outcome) -> None:
    (attempt,) = taken(session, limit=1)
    deliveries.settle(session, attempt, outcome, PATIENCE)


def test_too_many_given_up_one_after_the_other_disable_it(session: Session) -> None:
    webhook = new_webhook(session)
    give_up(session, webhook)
    message(session, webhook)
    settle_next(session, WELL)
    give_up(session, webhook)
    session.refresh(webhook)
    assert webhook.enabled, "one was taken between them"
    give_up(session, webhook)
    session.refresh(webhook)
    assert (webhook.enabled, webhook.failures) == (False, 2)
    assert webhook.disabled_reason is not None
    assert "It answered 500." in webhook.disabled_reason
    new_search(session)
    assert "search.created" not in told(session), "it is told nothing any more"
    webhooks.enable(webhook, True)
    assert (webhook.disabled_reason, webhook.failures) == (None, 0)


def test_a_receiver_that_is_gone_is_left_alone_at_once(session: Session) -> None:
    webhook = new_webhook(session)
    waiting = [message(session, webhook) for _ in range(3)]
    settle_next(session, Outcome(0.1, 410, "", "It answered 410 Gone."))
    session.refresh(webhook)
    assert (webhook.enabled, "410" in (webhook.disabled_reason or "")) == (False, True)
    assert taken(session) == []
    with pytest.raises(IllegalTransition, match="disabled"):
        deliveries.retry(session, webhook, waiting[0].id)
    webhooks.enable(webhook, True)
    assert len(taken(session)) == 2, "what waited is sent"


def test_somebody_may_ask_for_another_attempt(session: Session) -> None:
    webhook = new_webhook(session)
    delivery = message(session, webhook)
    settle_next(session, WELL)
    deliveries.retry(session, webhook, delivery.id)
    assert state(session, delivery) == DeliveryState.PENDING
    (again,) = taken(session)
    assert (again.id, again.attempt) == (delivery.id, 1)
    with pytest.raises(NotFound):
        deliveries.retry(session, new_webhook(session), delivery.id)


def test_a_message_that_is_tried_again_and_again_counts_once(session: Session) -> None:
    webhook = new_webhook(session)
    give_up(session, webhook)
    delivery = session.scalars(select(Delivery)).one()
    for _ in range(PATIENCE.given_up):
        deliveries.retry(session, webhook, delivery.id)
        assert webhook.failures == 0
        for attempt in (1, 2, 3):
            assert state(session, delivery) == DeliveryState.PENDING, f"before attempt {attempt}"
            later(session, 3.0)
            settle_next(session, ILL)
        assert state(session, delivery) == DeliveryState.FAILED
        session.refresh(webhook)
        assert (webhook.enabled, webhook.failures) == (True, 1)
    give_up(session, webhook)
    session.refresh(webhook)
    assert (webhook.enabled, webhook.failures) == (False, 2), "another counts"


def test_what_is_being_sent_is_not_sent_again_meanwhile(session: Session) -> None:
    webhook = new_webhook(session)
    delivery = message(session, webhook)
    (attempt,) = taken(session)
    with pytest.raises(IllegalTransition, match="being sent"):
        deliveries.retry(session, webhook, delivery.id)
    deliveries.settle(session, attempt, WELL, PATIENCE)
    deliveries.retry(session, webhook, delivery.id)
    (lost,) = taken(session, lease_seconds=-1.0)
    deliveries.retry(session, webhook, delivery.id)
    deliveries.settle(session, lost, WELL, PATIENCE)
    assert state(session, delivery) == DeliveryState.PENDING, "who lost it writes nothing"
    assert [again.attempt for again in taken(session)] == [1]


def test_while_a_secret_is_replaced_both_sign(session: Session) -> None:
    webhook = new_webhook(session)
    before = webhook.secret
    webhooks.rotate(session, webhook)
    message(session, webhook)
    assert list(taken(session)[0].secrets) == [webhook.secret, before]
    webhook.previous_until = clock(session) - timedelta(seconds=1)
    message(session, webhook)
    assert list(taken(session)[0].secrets) == [webhook.secret]


def test_a_webhook_that_is_deleted_is_sent_nothing(session: Session) -> None:
    webhook = new_webhook(session)
    message(session, webhook)
    (attempt,) = taken(session)
    webhooks.delete(session, webhook.id)
    deliveries.settle(session, attempt, ILL, PATIENCE)
    assert told(session) == []


def test_a_webhook_that_is_made_while_a_claim_waits_for_its_job_is_told(sessions: Sessions) -> None:
    with transaction(sessions) as session:
        search, worker = new_search(session), new_worker(session)
        step = queued(session, search)[0].id

    def claim() -> bool:
        with transaction(sessions) as session:
            return flow.claim(session, step, worker, lease_seconds=60) is not None

    with ThreadPoolExecutor(1) as threads:
        with transaction(sessions) as session:
            jobs.lock(session, search.id)
            claimed = threads.submit(claim)
            wait_for_a_lock(session)
            with transaction(sessions) as other:
                new_webhook(other)
        assert claimed.result()
    with transaction(sessions) as session:
        assert told(session) == ["search.running"]


def wait_for_a_lock(session: Session) -> None:
    """Until somebody waits for what another has locked."""
    waits = select(func.count()).select_from(text("pg_stat_activity")).where(text("wait_event_type = 'Lock'"))
    while not session.scalar(waits):
        session.execute(text("SELECT pg_sleep(0.01), pg_stat_clear_snapshot()"))


def test_a_webhook_that_is_deleted_meanwhile_ends_nothing(sessions: Sessions, monkeypatch: pytest.MonkeyPatch) -> None:
    """Between the look for those who listen and the messages to them it is tried to delete one: that waits."""
    with transaction(sessions) as session:
        webhook = new_webhook(session).id
    look = notices.of_job
    refused: list[OperationalError] = []

    def look_while_it_is_deleted(session: Session, job: Job) -> notices.Message | None:
        with sessions() as other:
            other.execute(text("SET LOCAL lock_timeout = '100ms'"))
            try:
                webhooks.delete(other, webhook)
                other.commit()
            except OperationalError as error:
                refused.append(error)
        return look(session, job)

    monkeypatch.setattr(notices, "of_job", look_while_it_is_deleted)
    with transaction(sessions) as session:
        new_search(session)
    assert len(refused) == 1
    with transaction(sessions) as session:
        assert told(session) == ["search.created"]


def test_a_webhook_that_is_deleted_while_an_attempt_ends_waits_for_nobody_in_a_ring(sessions: Sessions) -> None:
    """Whoever writes what came of an attempt waits for who deletes, and holds nothing meanwhile that the other needs."""
    with transaction(sessions) as session:
        webhook = new_webhook(session).id
        message(session, session.get_one(Webhook, webhook))
        (attempt,) = taken(session)

    def settle() -> None:
        with transaction(sessions) as session:
            deliveries.settle(session, attempt, ILL, Patience([], 2))

    with ThreadPoolExecutor(1) as threads, transaction(sessions) as session:
        webhooks.get(session, webhook, hold=True)
        settled = threads.submit(settle)
        wait_for_a_lock(session)
        session.execute(text("SET LOCAL lock_timeout = '5s'"))
        webhooks.delete(session, webhook)
        session.commit()
        settled.result()
    with transaction(sessions) as session:
        assert told(session) == []


def test_there_are_at_most_so_many(session: Session) -> None:
    new_webhook(session, most=1)
    with pytest.raises(IllegalTransition, match="Delete one"):
        new_webhook(session, most=1)


@pytest.mark.parametrize(
    ("pattern", "meant"),
    [
        ("search.failed", True),
        ("search.*", True),
        ("*.failed", True),
        ("*", True),
        ("*.*", False),
        ("training.*", False),
    ],
)
def test_patterns(pattern: str, meant: bool) -> None:
    assert notices.matches(["tuning.created", pattern], "search.failed") is meant


def test_only_webhooks_of_its_project_are_told_of_a_job(session: Session) -> None:
    key, _ = keys.create(session, "others")
    own, foreign = new_webhook(session), new_webhook(session)
    foreign.project_id = key.project_id
    session.flush()
    new_search(session)
    assert session.scalars(select(Delivery.webhook_id)).all() == [own.id]
