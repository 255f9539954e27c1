"""What may be tuned, and the lives of tunings. Writes through ``store``; commits nothing."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from uuid import UUID

from sqlalchemy.orm import Session

from api.jobs import cloning
from api.jobs.cloning import Clone
from api.jobs.expected import device_of, expect
from api.jobs.schemas import shown
from api.jobs.waits import Waits
from api.trainings.service import Subject, search_of, subject
from api.tunings.schemas import Importance, Trial, TuningDetail, TuningEstimate, TuningSummary
from dna_engine.advice import advice_on_training
from dna_engine.plans import plan_of
from dna_engine.plans.steps import device_queue
from dna_engine.space.architecture import Architecture as Network
from dna_engine.space.cost import architecture_cost
from dna_engine.spec import ResolvedTuning, TuningSpec, resolve_tuning
from store import datasets, studies, transfer, tunings, waiting, workers
from store.filters import Filter
from store.order import At, Place
from store.states import FINISHED, JobKind
from store.tables import Tuning
from store.waiting import Queues, Wait, unmanned

#: Its trials wait there; nothing else of it does.
_QUEUES = (device_queue(1),)


def create(session: Session, body: TuningSpec | Clone, *, max_attempts: int, live_within: timedelta) -> TuningDetail:
    """A queued tuning.

    Raises:
        EngineError: there is no such dataset, values that cannot be tried, or the search that found the network has nothing of what is
            asked for.
        Invalid: there is no such network, or none that this version can read.
        IllegalTransition: files of that search, which are asked for, are gone.
    """
    spec, cloned_from = cloning.written(session, body, JobKind.TUNING, TuningSpec)
    asked, resolved = _resolve(session, spec)
    tuning = tunings.create(session, spec, resolved, asked.row, max_attempts=max_attempts, cloned_from=cloned_from)
    if asked.source is not None:
        transfer.share(session, asked.source, tuning.id)
    return detail(session, tuning.id, live_within)


def estimate(session: Session, body: TuningSpec | Clone, *, live_within: timedelta) -> TuningEstimate:
    """What a tuning would be; raises as :func:`create`."""
    spec, _ = cloning.written(session, body, JobKind.TUNING, TuningSpec)
    with session.begin_nested() as kept:
        _, resolved = _resolve(session, spec)
        kept.rollback()  # A network that is described would be one of those there are.
    live = [worker for worker in workers.live(session, within=live_within) if "gpu" in worker.queues]
    device = device_of(live)
    expected = expect(session, plan_of(resolved).all_steps()[0], resolved, device)
    costs = architecture_cost(Network.from_json(resolved.architecture))
    return TuningEstimate(
        trials=resolved.trials,
        images=resolved.images,
        flops=costs.flops,
        params=costs.params,
        device=device,
        trial_seconds=expected.seconds,
        device_seconds=round(resolved.trials * expected.seconds, 1),
        basis=expected.basis,
        workers=len(live),
        warnings=[*advice_on_training(resolved), *unmanned(live, _QUEUES)],
        spec=shown(resolved),
    )


def _resolve(session: Session, spec: TuningSpec) -> tuple[Subject, ResolvedTuning]:
    asked = subject(session, spec)
    dataset = datasets.ready(session, spec.dataset)
    return asked, resolve_tuning(spec, asked.network, dataset, search_of(session, asked.row), asked.weights)


def detail(session: Session, tuning_id: UUID, live_within: timedelta) -> TuningDetail:
    """The tuning as it is now."""
    return _detail(session, tunings.get(session, tuning_id), waiting.look(session, live_within=live_within))


def answer(session: Session, tuning_id: UUID, waits: Waits) -> TuningDetail:
    """The same, with what it waits for as of a moment ago."""
    tuning = tunings.get(session, tuning_id)
    return _detail(session, tuning, waits.of(_unfinished([tuning])))


def _detail(session: Session, tuning: Tuning, queues: Queues) -> TuningDetail:
    [counts] = tunings.counts(session, [tuning.id]).values()
    found = TuningDetail.of(tuning, counts, tunings.unfinished(session, tuning.id), _wait(tuning, queues))
    lacking = [] if found.state in FINISHED else unmanned(queues.live, _QUEUES)
    return found.model_copy(update={"warnings": [*found.warnings, *lacking]})


def listing(session: Session, where: Filter, at: At, waits: Waits) -> tuple[list[TuningSummary], Place | None]:
    """A page of tunings, and where the next one begins."""
    found = tunings.listing(session, where, at)
    queues = waits.of(_unfinished(found.items))
    counts = tunings.counts(session, [tuning.id for tuning in found.items])
    items = [TuningSummary.listed(tuning, counts[tuning.id], _wait(tuning, queues)) for tuning in found.items]
    return items, found.next


def trials(session: Session, tuning_id: UUID, *, after: int, limit: int) -> tuple[list[Trial], int | None]:
    """A page of trials by number, and the number that the next one begins after."""
    found = tunings.trials(session, tuning_id, after=after, limit=limit + 1)
    items = [Trial.of(row) for row in found[:limit]]
    return items, items[-1].number if len(found) > limit else None


def importance(session: Session, tuning_id: UUID) -> Importance:
    """How much each field mattered in the trials that are complete."""
    spec = ResolvedTuning.model_validate(tunings.get(session, tuning_id).resolved)
    tried = tunings.complete(session, tuning_id)
    return Importance(importance=studies.importances(spec, tried), trials=len(tried))


def _unfinished(found: Sequence[Tuning]) -> list[UUID]:
    return [tuning.id for tuning in found if tuning.state not in FINISHED]


def _wait(tuning: Tuning, queues: Queues) -> Wait:
    """How it waits: the look at the queues may be a moment older, and of when it was not over."""
    return Wait() if tuning.state in FINISHED else queues.wait(tuning.id)
