"""Checks of datasets brought to their end in this process: the real step of the engine, in a worker's run folder."""

from __future__ import annotations

import io
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from uuid import UUID

from dna_engine import checking
from dna_engine.events import Reporter, Result
from dna_engine.plans.steps import of_check
from store import flow, steps
from store.blobs import BlobStore
from store.claims import Claim
from store.files import discard_loose, drafts
from store.session import Sessions, transaction
from tests.store.builders import new_worker, take, two_groups
from worker.run_folder import RunFolder


@dataclass(frozen=True)
class Surroundings:
    """What a step runs in, without a device."""

    run: Path
    reporter: Reporter
    stop: Callable[[], bool] = lambda: False


def run_check(sessions: Sessions, blobs: BlobStore, dataset: str | UUID, folder: Path) -> Result:
    """Checks the dataset of that id, as a worker does that works below ``folder``; what was sent is deleted from the store at once."""
    claim = claimed(sessions, dataset)
    run = RunFolder(folder, claim, blobs)
    run.lay_down(sessions, claim)
    result = checking.run_step(of_check(claim.spec), claim.step, Surroundings(run.path, Reporter(io.StringIO())))
    settle(sessions, blobs, claim, run, result)
    return result


def claimed(sessions: Sessions, dataset: str | UUID) -> Claim:
    """The step that checks it, held by a new worker."""
    with transaction(sessions) as session:
        [step] = steps.of_job(session, UUID(str(dataset)))
        return take(session, step, new_worker(session))


def settle(sessions: Sessions, blobs: BlobStore, claim: Claim, run: RunFolder, result: Result) -> None:
    """Stores what the step has left and found."""
    with drafts(sessions, blobs, claim) as written, transaction(sessions) as session:
        files = run.store(result.artifacts, written)
        flow.succeed(session, claim, result.values, files, engine_seconds=1.0, group=two_groups)
    discard_loose(sessions, blobs)


def checked(client: Any, sessions: Sessions, blobs: BlobStore, made: Any, folder: Path) -> Any:
    """The dataset of an answer that accepted it, after its check."""
    assert made.status_code == 202, made.text
    run_check(sessions, blobs, made.json()["id"], folder)
    return client.get(f"/datasets/{made.json()['id']}").json()
