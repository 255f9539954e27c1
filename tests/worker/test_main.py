"""What ``python -m worker`` starts, and what it refuses to start without."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import timedelta
from uuid import UUID

import pytest

from store import steps, workers
from store.columns import new_id
from store.session import Sessions, clock, transaction
from store.settings import Settings
from tests.postgres import SparePostgres
from tests.store.builders import new_search, new_worker, queued, take
from worker.__main__ import ENGINE_ENDS, NodePlan, NotReady, check, let_go, main, plan, run
from worker.devices import Device
from worker.settings import WorkerSettings

AWAY = WorkerSettings(database_url="postgresql://127.0.0.1:1/dna", redis_url="redis://127.0.0.1:1/0")
TWO = [Device("cuda:0", "A GPU"), Device("cuda:1", "A GPU")]


def test_one_node_for_each_device_and_as_many_as_asked_for_the_rest() -> None:
    nodes = plan(["gpu", "cpu"], TWO, 2)
    assert [(node.name, node.queues, node.device.name) for node in nodes] == [
        ("gpu0", ["gpu"], "cuda:0"),
        ("gpu1", ["gpu"], "cuda:1"),
        ("cpu0", ["cpu"], "cpu"),
        ("cpu1", ["cpu"], "cpu"),
    ]
    assert [node.name for node in plan(["cpu"], TWO, 1)] == ["cpu0"]
    with pytest.raises(NotReady, match="no queue 'tpu'"):
        plan(["gpu", "tpu"], TWO, 1)


def test_a_node_of_several_devices_takes_the_steps_of_as_many_and_of_fewer() -> None:
    node = plan(["gpu"], [Device("cuda:0,cuda:1,cuda:2", "3 x A GPU", 3)], 1)[0]
    assert (node.name, node.queues) == ("gpu0", ["gpu", "gpu2", "gpu3"])
    command = node.command(new_id())
    given = command[command.index("--name") :]
    assert given[2:6] == ["--queues", "gpu,gpu2,gpu3", "--device", "cuda:0,cuda:1,cuda:2"]


@dataclass(frozen=True)
class Doomed(NodePlan):
    """Ends as one does that the kernel kills for want of memory."""

    def command(self, worker_id: UUID) -> list[str]:
        return [sys.executable, "-c", "import os; os.kill(os.getpid(), 9)", str(worker_id)]


def test_whoever_starts_a_node_tells_when_it_has_died_and_starts_another() -> None:
    stop, dead = threading.Event(), []

    def died(worker_id: UUID) -> None:
        dead.append(worker_id)
        if len(dead) == 2:
            stop.set()

    run([Doomed("gpu0", ["gpu"], TWO[0])], stop, died, leave_seconds=5.0)
    assert len({*dead}) == 2, "each is another worker"


def test_what_a_dead_worker_ran_is_free_for_others_before_its_lease_ends(
    settings: Settings, sessions: Sessions
) -> None:
    with transaction(sessions) as session:
        dead, other = (new_worker(session) for _ in range(2))
        held = {worker.id: take(session, queued(session, new_search(session))[0], worker) for worker in (dead, other)}
    let_go(WorkerSettings.model_validate(settings.model_dump()), dead.id)
    with transaction(sessions) as session:
        left = {
            worker: steps.get(session, claim.step_id).lease_expires_at - clock(session)
            for worker, claim in held.items()
        }
        assert timedelta(0) < left[dead.id] <= ENGINE_ENDS < timedelta(seconds=30) < left[other.id]
        assert [worker.id for worker in workers.live(session, within=workers.SILENCE)] == [other.id]


def test_where_the_database_does_not_answer_the_lease_has_its_end(caplog: pytest.LogCaptureFixture) -> None:
    let_go(AWAY, new_id())
    assert "free for others at the end of its lease, as the database does not answer" in caplog.text


def test_a_database_without_the_schema_is_refused(empty_database_url: str) -> None:
    with pytest.raises(NotReady, match="run python -m store migrate"):
        check(WorkerSettings(database_url=empty_database_url, redis_url="redis://127.0.0.1:1/0"))


def test_a_database_that_does_not_answer_is_refused() -> None:
    with pytest.raises(NotReady, match="cannot be used"):
        check(AWAY.model_copy(update={"database_start_seconds": 0.0}))


def test_a_database_that_starts_is_waited_for(spare_postgres: SparePostgres, caplog: pytest.LogCaptureFixture) -> None:
    settings = AWAY.model_copy(update={"database_url": spare_postgres.url})
    with ThreadPoolExecutor() as pool:
        with spare_postgres.away():
            checked = pool.submit(check, settings)
            while "Waiting up to 60 s" not in caplog.text:
                assert not checked.done()
        checked.result()


def test_it_says_what_to_set_and_exits_with_2() -> None:
    clean = {name: value for name, value in os.environ.items() if not name.startswith("DNA_")}
    given = clean | {"DNA_DEVICE": "cuda:9"}
    done = subprocess.run([sys.executable, "-m", "worker"], env=given, capture_output=True, text=True)
    assert done.returncode == 2
    assert "Set DNA_DATABASE_URL and DNA_REDIS_URL" in done.stderr


@pytest.mark.parametrize(
    ("name", "value", "words"),
    [("DNA_DEVICE", "tpu", "DNA_DEVICE: "), ("DNA_DEVICES_PER_STEP", "17", "less than or equal to 16")],
)
def test_a_setting_that_cannot_be_is_named(
    name: str, value: str, words: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv(name, value)
    assert main([]) == 2
    assert words in capsys.readouterr().err


def test_an_option_is_before_the_setting(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setenv("DNA_DEVICES_PER_STEP", "1")
    assert main(["--devices-per-step", "0"]) == 2
    assert "DNA_DEVICES_PER_STEP: Input should be greater than 0.\n" in capsys.readouterr().err
    monkeypatch.setenv("DNA_DEVICE", "cpu")
    assert main(["--devices", "tpu"]) == 2
    assert "DNA_DEVICE: String should match pattern" in capsys.readouterr().err
