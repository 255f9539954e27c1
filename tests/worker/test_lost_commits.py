"""A connection dies at any COMMIT of a worker: nothing is lost, nothing done twice, no file without a row or the reverse."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from store import claims, events, flow, steps
from store.artifacts import StoredFile
from store.files import discard
from store.session import Sessions, transaction
from store.settings import Settings
from store.states import StepState
from tests.lossy import Loss, LossyProxy, lossy_proxy
from tests.store.builders import two_groups
from tests.store.kept import rows_and_files
from tests.worker.conftest import Bench
from tests.worker.test_supervisor import logged
from worker.checkpoints import Checkpoints
from worker.run_folder import RunFolder
from worker.settings import WorkerSettings
from worker.slot import Slot

#: More commits than a worker makes for the steps here.
MOST = 40


@pytest.fixture
def proxy(database_url: str) -> Iterator[LossyProxy]:
    with lossy_proxy(database_url) as proxy:
        yield proxy


@pytest.fixture
def worker_settings(
    worker_settings: WorkerSettings, proxy: LossyProxy, monkeypatch: pytest.MonkeyPatch
) -> WorkerSettings:
    """The worker reaches PostgreSQL through the proxy; nothing but its own writes happens meanwhile."""
    monkeypatch.setattr("worker.supervisor.PAUSE_SECONDS", 0.01)
    return worker_settings.model_copy(update={"database_url": proxy.url, "poll_seconds": 60.0})


def sound(sessions: Sessions, settings: Settings) -> bool:
    named, found = rows_and_files(sessions, settings.artifacts)
    return named == found


def run_with_a_loss(slot: Slot, proxy: LossyProxy, loss: Loss, nth: int, role: str) -> Bench | None:
    """A step in whose run the n-th commit was cut; None when it made fewer."""
    bench = Bench(slot)
    claim = bench.claim()
    before = proxy.lost
    proxy.lose(loss, nth=nth)
    bench.run(role, claim)
    proxy.lose_nothing()
    return bench if proxy.lost > before else None


@pytest.mark.parametrize("loss", Loss)
def test_a_step_succeeds_once(slot: Slot, proxy: LossyProxy, sessions: Sessions, loss: Loss) -> None:
    for nth in range(1, MOST):
        bench = run_with_a_loss(slot, proxy, loss, nth, "good")
        if bench is None:
            break
        assert (bench.step.state, bench.step.attempt) == (StepState.SUCCEEDED, 1)
        assert [later.key for later in bench.job.steps] == ["teacher", "distill-1"]
        assert logged(bench) == ["a library prints this"]
        assert sound(sessions, slot.settings)
    assert 3 < nth < MOST


@pytest.mark.parametrize(("role", "state", "attempts"), [("crash", StepState.QUEUED, 1), ("slow", StepState.QUEUED, 0)])
def test_an_attempt_ends_once(
    slot: Slot, proxy: LossyProxy, sessions: Sessions, role: str, state: StepState, attempts: int
) -> None:
    if role == "slow":
        slot.stopping.set()
    for nth in range(1, MOST):
        bench = run_with_a_loss(slot, proxy, Loss.ANSWER, nth, role)
        if bench is None:
            break
        assert (bench.step.state, bench.step.attempt, bench.step.fence) == (state, attempts, 1)
        assert sound(sessions, slot.settings)
    assert 2 < nth < MOST


@pytest.mark.parametrize("loss", Loss)
def test_a_checkpoint_is_kept_or_never_was(
    bench: Bench, proxy: LossyProxy, sessions: Sessions, tmp_path: Path, loss: Loss
) -> None:
    claim = bench.claim()
    slot = bench.slot
    folder = RunFolder(tmp_path, claim, slot.blobs)
    written = folder.path / claim.step.checkpoint
    written.parent.mkdir(parents=True)
    for number in range(1, 4):
        written.write_text(f"checkpoint {number}")
        with Checkpoints(slot.sessions, slot.blobs, folder, claim) as checkpoints:
            if number == 2:
                proxy.lose(loss)
            checkpoints.written()
        assert sound(sessions, slot.settings)
    assert proxy.lost == 1
    written.unlink()
    folder.lay_down(slot.sessions, claim)
    assert written.read_text() == "checkpoint 3"


def test_a_claim_is_held_by_its_claimant(bench: Bench, proxy: LossyProxy) -> None:
    step_id = bench.step.id
    proxy.lose(Loss.ANSWER)
    claim = bench.claim()
    assert proxy.lost == 1
    proxy.lose(Loss.ANSWER)
    with transaction(bench.slot.sessions) as session:
        claims.renew(session, claim, lease_seconds=60)
    assert proxy.lost == 2
    bench.run("good", claim)
    with transaction(bench.slot.sessions) as session:
        assert steps.get(session, step_id).fence == 1


def test_a_step_that_succeeded_is_not_done_again(bench: Bench, sessions: Sessions) -> None:
    """The server could not be asked, so the worker writes again what may have been written."""
    claim = bench.claim()
    bench.run("good", claim)
    before = told(sessions, bench)
    with transaction(sessions) as session:
        assert flow.succeed(session, claim, {}, [], engine_seconds=1.0, group=two_groups) == []
    assert told(sessions, bench) == before
    assert bench.step.values == {"test_accuracy": 0.5}


def test_files_stay_while_a_transaction_may_yet_name_them(bench: Bench, sessions: Sessions) -> None:
    """A late commit wins over a worker that has given it up."""
    claim, slot = bench.claim(), bench.slot
    path = slot.settings.data_dir / "weights"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("dear")
    blob = slot.blobs.write_file(path)
    with transaction(sessions) as session:
        flow.save_checkpoint(session, claim, StoredFile("checkpoints/teacher.safetensors", blob))
        thread = threading.Thread(target=discard, args=(slot.sessions, slot.blobs, [blob.location]))
        thread.start()
        thread.join(0.3)
        assert thread.is_alive()
    thread.join(10.0)
    assert sound(sessions, slot.settings)
    assert b"".join(slot.blobs.read(blob)) == b"dear"


def told(sessions: Sessions, bench: Bench) -> int:
    with transaction(sessions) as session:
        return len(events.after(session, bench.job_id, 0))
