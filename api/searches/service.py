"""What may be searched, and the lives of searches. Writes through ``store``; commits nothing."""

from __future__ import annotations

import json
from collections.abc import Sequence
from contextlib import suppress
from datetime import timedelta
from typing import get_args
from uuid import UUID

from pydantic import BaseModel
from sqlalchemy.orm import Session

from api.errors import Invalid
from api.jobs import cloning
from api.jobs.cloning import Clone
from api.jobs.waits import NOTHING, Waits
from api.kept import Kept
from api.searches.schemas import NETWORKS_SHOWN, SearchDetail, SearchSummary
from dna_engine.errors import TooHard
from dna_engine.plans import Phase
from dna_engine.select import Allowance, LatencyTable, Problem, Ratings, check
from dna_engine.spec import ResolvedSpec, SearchSpec, resolve
from dna_engine.spec.teacher import Weights
from store import (
    accuracies,
    architectures,
    artifacts,
    datasets,
    given,
    latency_tables,
    revisions,
    searches,
    trainings,
    tunings,
    waiting,
)
from store.blobs import BlobStore
from store.filters import Filter
from store.order import At, Place
from store.states import FINISHED, JobKind
from store.waiting import Queues, most_devices, too_few_devices, unmanned

#: Steps of a selection for one request: one to two seconds of a core. A hundred networks of the largest preset take a tenth of them.
SELECTION_STEPS = 15_000_000


def create(
    session: Session, blobs: BlobStore, body: SearchSpec | Clone, *, max_attempts: int, live_within: timedelta
) -> SearchDetail:
    """A queued search.

    Raises:
        EngineError: the spec names something that does not exist, or no network fits, as far as that is known.
        Invalid: weights that are not taken from a client.
    """
    spec, source = cloning.written(session, body, JobKind.SEARCH, SearchSpec)
    resolved = resolve_for(session, spec)
    with suppress(TooHard):  # Then the selection will see.
        check_budget(resolved, _latencies(session, blobs, resolved, live_within))
    search = searches.create(session, spec, resolved, max_attempts=max_attempts, cloned_from=source)
    return detail(session, search.id, live_within)


def detail(session: Session, search_id: UUID, live_within: timedelta) -> SearchDetail:
    """The search as it is now."""
    return _detail(session, search_id, waiting.look(session, live_within=live_within))


def answer(session: Session, search_id: UUID, kept: Kept, waits: Waits) -> bytes:
    """The same as JSON: made again when anything has changed, which is looked for each time.

    Raises:
        NotFound: there is none of that id.
    """
    revision = revisions.of_search(session, search_id)
    queues = waits.of([] if revision.finished else [search_id])
    seen = (queues.wait(search_id), None if revision.finished else (_devices_offered(queues), *unmanned(queues.live)))
    return kept.body(search_id, (revision, seen), lambda: _json(_detail(session, search_id, queues)))


def _json(model: BaseModel) -> bytes:
    return model.model_dump_json().encode()


def _detail(session: Session, search_id: UUID, queues: Queues) -> SearchDetail:
    search = searches.get(session, search_id)
    networks = architectures.of_search(session, search_id, limit=NETWORKS_SHOWN)
    deciding = accuracies.deciding(session, [network.id for network in networks])
    trained = trainings.of_search(session, search_id)
    found = SearchDetail.of(search, networks, trained, deciding, queues.wait(search_id))
    most = _devices_offered(queues) if _will_train(found) else None
    lacking = [] if found.state in FINISHED else unmanned(queues.live)
    lacking += [] if most is None else too_few_devices(found.spec.retrain.devices, most)
    return found.model_copy(update={"warnings": [*found.warnings, *lacking]})


def _devices_offered(queues: Queues) -> int | None:
    """None where no worker is live: the search itself says so."""
    return most_devices(queues.live) if queues.live else None


def _will_train(search: SearchDetail) -> bool:
    return search.state not in FINISHED and search.phase != Phase.EXPORT


def listing(session: Session, where: Filter, at: At, *, kept: Kept, waits: Waits) -> tuple[list[bytes], Place | None]:
    """A page of searches as JSON, and where the next one begins."""
    found = searches.listing(session, where, at)
    queues = waits.of([each.id for each in found.items if not each.finished])
    # The look at the queues may be a moment older than the rows: what is finished since waits for nothing.
    waiting_for = {each.id: (NOTHING if each.finished else queues).wait(each.id) for each in found.items}

    def make(lacking: Sequence[tuple[str, UUID]]) -> dict[tuple[str, UUID], bytes]:
        rows = searches.listed(session, [search_id for _, search_id in lacking])
        return {("listed", row.id): _json(SearchSummary.listed(row, waiting_for[row.id])) for row in rows}

    made_of = {("listed", each.id): (each, waiting_for[each.id]) for each in found.items}
    return kept.bodies(made_of, make), found.next


def resolve_for(session: Session, spec: SearchSpec) -> ResolvedSpec:
    """The spec with every default filled in for its dataset.

    Raises:
        EngineError: as :func:`dna_engine.spec.resolve`, or there is no such dataset or teacher.
        IllegalTransition: the search that a teacher is taken from has none yet.
        Invalid: weights that are not taken from a client.
    """
    if spec.teacher.weights not in (None, *get_args(Weights)):
        # A path would be opened on the worker's machine.
        message = "Weights of a teacher are pretrained, finetune or train"
        raise Invalid(f"{message}.", errors=[{"pointer": "#/teacher/weights", "detail": message}])
    taken = None if spec.teacher.source is None else given.find(session, spec.teacher.source)
    spec = spec.model_copy(update={"retrain": tunings.with_recipe(session, spec.retrain, at="retrain.")})
    return resolve(spec, datasets.ready(session, spec.dataset), taken)


def _latencies(
    session: Session, blobs: BlobStore, resolved: ResolvedSpec, live_within: timedelta
) -> LatencyTable | None:
    """What layers take on the devices of the workers, where latency is limited and a search has measured it."""
    if resolved.budget.latency_ms is None:
        return None
    table = latency_tables.known(session, resolved, live_within=live_within)
    return LatencyTable.from_json(json.loads(b"".join(blobs.read(artifacts.blob(table))))) if table else None


def check_budget(resolved: ResolvedSpec, latencies: LatencyTable | None = None) -> None:
    """Looks for a network under all limits at once; ``resolve`` has looked at each alone.

    Args:
        latencies: without them a limit on latency is left to the search, which measures first.

    Raises:
        InfeasibleBudget: there is none; says which limits bind and what would fit.
        TooHard: to know it takes longer than a request may.
    """
    space, limits = resolved.parsed_space, resolved.budget.limits
    if latencies is None:
        limits.pop("latency_ns", None)
        if len(limits) < 2:
            return
    unrated = Ratings.none(space, input_size=resolved.input_size, num_classes=resolved.dataset.num_classes)
    check(Problem(unrated, latency=latencies), limits, Allowance(SELECTION_STEPS))
