"""What a worker's machine lacks is told, and what workers have left on it goes."""

from __future__ import annotations

import json
import os
import platform
import subprocess
import sys
import time
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import update

from store.columns import new_id
from store.doctor.findings import Finding, Level
from store.session import Sessions, clock, transaction
from store.states import JobState
from store.tables import Job, Worker
from tests.store.builders import new_search
from worker import doctor
from worker.doctor import examine, main, mend
from worker.settings import WorkerSettings

DAY = 86_400.0


def troubles(settings: WorkerSettings) -> list[Finding]:
    """What is not well, but for processes: other tests start engines without nodes at the same time."""
    return [
        finding for finding in examine(settings) if finding.level is not Level.OK and finding.check != doctor.PROCESSES
    ]


def leave(path: Path, *, age: float) -> Path:
    """A file that was written so many seconds ago, as its folders were."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("content")
    for place in (path, *list(path.parents)[:2]):
        os.utime(place, (time.time() - age, time.time() - age))
    return path


def test_run_folders_of_jobs_that_are_gone(sessions: Sessions, worker_settings: WorkerSettings) -> None:
    runs = worker_settings.data_dir / "runs"
    with transaction(sessions) as session:
        waits, done = new_search(session).id, new_search(session).id
        session.execute(update(Job).where(Job.id == done).values(state=JobState.SUCCEEDED))
    kept = leave(runs / str(waits) / "cells/a", age=2 * DAY), leave(runs / str(new_id()) / "cells/young", age=60.0)
    gone = [leave(runs / str(job_id) / "cells/a", age=2 * DAY) for job_id in (done, new_id())]
    half = leave(runs / str(waits) / "cells/.b.part", age=2 * DAY)
    (worker_settings.data_dir / ".incoming-1").mkdir()
    folders, left = troubles(worker_settings)
    assert (
        folders.said == "2 run folders of jobs that are done or were deleted: 14 bytes."
        or "2 run folders" in folders.said
    )
    assert ".b.part, .incoming-1" in left.said
    assert mend(worker_settings) == ["Removed 2 run folders.", "Removed 2 files and folders of killed processes."]
    assert [path.exists() for path in (*kept, *gone, half)] == [True, True, False, False, False]
    assert troubles(worker_settings) == []
    assert mend(worker_settings) == []


def test_another_database_removes_nothing(worker_settings: WorkerSettings) -> None:
    """What jobs there are is not known then."""
    run = leave(worker_settings.data_dir / "runs" / str(new_id()) / "cells/a", age=2 * DAY)
    away = worker_settings.model_copy(update={"database_url": "postgresql://nobody@127.0.0.1:1/none"})
    assert troubles(away) == []
    assert run.exists()


@pytest.fixture
def nvidia_smi(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[str], None]:
    """A program of that name comes first on PATH: this machine seems to have a GPU."""

    def put(script: str) -> None:
        program = tmp_path / "nvidia-smi"
        program.write_text(f"#!/bin/sh\n{script}\n")
        program.chmod(0o755)
        monkeypatch.setenv("PATH", f"{tmp_path}:{os.environ['PATH']}")
        monkeypatch.delenv("CUDA_VISIBLE_DEVICES", raising=False)

    return put


def test_a_torch_that_sees_no_gpu(
    worker_settings: WorkerSettings, nvidia_smi: Callable[[str], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    nvidia_smi('case "$*" in *driver_version*) echo 470.1;; *) echo "0, GPU-1, NVIDIA A100";; esac')
    monkeypatch.setattr(doctor, "_ASK_TORCH", 'print(\'{"built": "12.9", "sees": 0}\')')
    [finding] = troubles(worker_settings)
    assert finding.level is Level.WRONG
    assert "built for CUDA 12.9, sees 0 of 1 GPU under driver 470.1" in finding.said
    monkeypatch.setattr(doctor, "_ASK_TORCH", 'print(\'{"built": null, "sees": 0}\')')
    assert "built for the CPU alone" in troubles(worker_settings)[0].said
    monkeypatch.setattr(doctor, "_ASK_TORCH", "raise ImportError('libcudart.so is not there')")
    assert "cannot be used: ImportError: libcudart.so is not there" in troubles(worker_settings)[0].said
    monkeypatch.setattr(doctor, "_ASK_TORCH", 'print(\'{"built": "12.9", "sees": 1}\')')
    assert troubles(worker_settings) == []


def test_a_driver_that_fails(worker_settings: WorkerSettings, nvidia_smi: Callable[[str], None]) -> None:
    nvidia_smi("echo NVIDIA-SMI has failed; exit 9")
    [finding] = troubles(worker_settings)
    assert finding.said == "nvidia-smi fails: NVIDIA-SMI has failed"
    assert troubles(worker_settings.model_copy(update={"device": "cpu"})) == []
    nvidia_smi("exit 0")
    [finding] = troubles(worker_settings.model_copy(update={"device": "cuda:1"}))
    assert "cuda:1, but nvidia-smi shows 0 GPUs" in finding.said


@pytest.mark.skipif(not Path("/proc").is_dir(), reason="no processes can be looked at")
def test_processes_that_nobody_hears_of(sessions: Sessions, worker_settings: WorkerSettings) -> None:
    """A node that was stopped, and an engine whose parent is no node."""
    sleep = [sys.executable, "-c", "import time; time.sleep(60)"]
    with subprocess.Popen([*sleep, "worker.node"]) as node, subprocess.Popen([*sleep, "dna_engine serve"]) as engine:
        with transaction(sessions) as session:
            of = {"device": "cpu", "device_name": "", "queues": ["cpu"], "versions": {}}
            row = Worker(id=new_id(), hostname=platform.node(), pid=node.pid, **of)
            row.last_seen_at = clock(session) - timedelta(days=1)
            session.add(row)
        every = examine(worker_settings)
        found = [
            finding for process in (engine, node) for finding in every if f"process {process.pid} " in finding.said
        ]
        node.kill()
        engine.kill()
    assert [finding.level for finding in found] == [Level.WARNING, Level.WRONG]
    assert "has lost its node" in found[0].said
    assert "says nothing since" in found[1].said


def test_the_command(
    worker_settings: WorkerSettings, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("DNA_DATA_DIR", str(worker_settings.data_dir))
    monkeypatch.setenv("DNA_DATABASE_URL", str(worker_settings.database_url))
    assert main(["--json", "--fix"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert told["fixed"] == []
    assert [finding["check"] for finding in told["findings"]][:2] == ["devices", "disk"]
    monkeypatch.setenv("DNA_DATA_DIR", "/proc/none")
    assert main([]) == 1
    monkeypatch.setenv("DNA_LEASE_SECONDS", "1")
    assert main([]) == 2
