"""``python -m worker.doctor``: what this machine has for a worker, and what workers have left on it."""

from __future__ import annotations

import argparse
import json
import logging
import os
import platform
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

from pydantic import ValidationError
from sqlalchemy.exc import ArgumentError, DBAPIError

from dna_engine.disk import size
from store.doctor import disks, work
from store.doctor.findings import Finding, as_json, as_text, exit_code, first, ok, several, warning, wrong
from store.migrate import is_current
from store.room import Place
from store.scratch import abandoned
from store.session import Sessions, make_engine, make_sessions, transaction
from store.settings import wrong_settings
from worker.cleanup import half_written, idle_run_folders, remove_folders, remove_leftovers
from worker.devices import NoSuchDevice, find_devices
from worker.settings import WorkerSettings

DEVICES, FOLDERS, PROCESSES = "devices", "run folders", "processes"

#: Seconds that torch may take to load and to look at the GPUs.
_TORCH_SECONDS = 120
#: Asked of the torch that engines are started with, in a process of its own: CUDA is not to start in this one.
_ASK_TORCH = """
import json, torch
print(json.dumps({"built": torch.version.cuda, "sees": torch.cuda.device_count() if torch.cuda.is_available() else 0}))
"""
_PROC = Path("/proc")
#: A run folder in which nothing was written for so long is nobody's.
_QUIET_SECONDS = 3600.0


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m worker.doctor", description="Looks at this machine as a worker's.")
    parser.add_argument("--fix", action="store_true", help="remove what workers have left on it and nobody needs")
    parser.add_argument("--json", action="store_true", dest="as_json")
    chosen = parser.parse_args(arguments)
    logging.basicConfig(level=logging.WARNING, format="%(asctime)s %(levelname)s %(name)s: %(message)s")
    try:
        settings = WorkerSettings()
    except ValidationError as error:
        print(f"A setting is wrong. {wrong_settings(error)}", file=sys.stderr)
        return 2
    fixed = mend(settings) if chosen.fix else []
    found = examine(settings)
    print((as_json if chosen.as_json else as_text)(found, fixed))
    return exit_code(found)


def examine(settings: WorkerSettings) -> list[Finding]:
    """Changes nothing. Of a database that does not answer others tell."""
    found = [
        *_devices(settings),
        *disks.folders([Place("the data folder (DNA_DATA_DIR)", settings.data_dir.resolve())]),
    ]
    try:
        with _sessions(settings) as sessions:
            if sessions is not None:
                found += _left(sessions, settings)
                found += _silent(sessions, settings)
    except (ArgumentError, DBAPIError):
        pass
    return [*found, *_engines()]


def mend(settings: WorkerSettings) -> list[str]:
    """Removes what :func:`examine` has said would be; returns what was done."""
    done = []
    with _sessions(settings) as sessions:
        if sessions is None:
            return []
        if folders := _idle(sessions, settings):
            remove_folders(folders)
            done.append(f"Removed {several(len(folders), 'run folder')}.")
        if removed := remove_leftovers(settings):
            done.append(f"Removed {several(removed, 'file or folder', 'files and folders')} of killed processes.")
    return done


@contextmanager
def _sessions(settings: WorkerSettings) -> Iterator[Sessions | None]:
    """None where there is no database, or its schema is another one: what belongs to a job is not known then."""
    if settings.database_url is None:
        yield None
        return
    engine = make_engine(settings.database_url, settings.database_timeouts, pool_size=1)
    try:
        with engine.connect() as connection:
            current = is_current(connection)
        yield make_sessions(engine) if current else None
    finally:
        engine.dispose()


def _devices(settings: WorkerSettings) -> Iterator[Finding]:
    """The GPUs, and whether the torch of the engines can use them."""
    driver = _driver()
    if isinstance(driver, Finding):
        yield driver if settings.device != "cpu" else ok(DEVICES, "DNA_DEVICE is cpu: no GPU is used.")
        return
    try:
        devices = find_devices(settings.device)
    except NoSuchDevice as error:
        yield wrong(DEVICES, error.message)
        return
    yield ok(DEVICES, f"Steps run on {first([f'{device.name} ({device.label})' for device in devices])}.")
    if driver and any(device.name != "cpu" for device in devices):
        yield _torch(driver, len(devices))


def _driver() -> str | Finding | None:
    """Its version; None on a machine without GPUs; a finding where it does not answer."""
    if shutil.which("nvidia-smi") is None:
        return None
    query = ["nvidia-smi", "--query-gpu=driver_version", "--format=csv,noheader"]
    try:
        answer = subprocess.run(query, capture_output=True, text=True, timeout=30, check=False)
    except subprocess.TimeoutExpired:
        return wrong(
            DEVICES, "nvidia-smi does not answer: a GPU hangs.", "Reset it (nvidia-smi --gpu-reset) or the machine."
        )
    if answer.returncode:
        said = " ".join((answer.stdout + answer.stderr).split())
        return wrong(DEVICES, f"nvidia-smi fails: {said}", "Load the driver, or set DNA_DEVICE=cpu.")
    return answer.stdout.split("\n", 1)[0].strip()


def _torch(driver: str, gpus: int) -> Finding:
    try:
        installed = version("torch")
    except PackageNotFoundError:
        return warning(
            DEVICES, "torch is not installed: this machine can run no worker.", "pip install 'dna-automl[worker]'."
        )
    try:
        command = [sys.executable, "-c", _ASK_TORCH]
        answer = subprocess.run(command, capture_output=True, text=True, timeout=_TORCH_SECONDS, check=True)
    except (subprocess.CalledProcessError, subprocess.TimeoutExpired) as error:
        last = str(error.stderr or error).strip().split("\n")[-1]
        return wrong(DEVICES, f"torch {installed} cannot be used: {last}", "Install it anew.")
    found = json.loads(answer.stdout)
    if found["built"] is None:
        advice = "Install the build of torch for CUDA, with the torchvision of the same place."
        return wrong(DEVICES, f"torch {installed} is built for the CPU alone, beside {several(gpus, 'GPU')}.", advice)
    if found["sees"] < gpus:
        return wrong(
            DEVICES,
            f"torch {installed}, built for CUDA {found['built']}, sees {found['sees']} of {several(gpus, 'GPU')} under driver {driver}.",
            "The driver may be older than that CUDA: update it, or install a torch for an earlier one.",
        )
    return ok(DEVICES, f"torch {installed}, built for CUDA {found['built']}, sees all GPUs under driver {driver}.")


def _left(sessions: Sessions, settings: WorkerSettings) -> Iterator[Finding]:
    """What workers of this machine have left in its folders."""
    folders = _idle(sessions, settings)
    if folders:
        taken = sum(about.st_size for folder in folders for about in _stats(folder))
        yield warning(
            FOLDERS,
            f"{several(len(folders), 'run folder')} of jobs that are done or were deleted: {size(taken)}.",
            "A worker of this machine removes them within a minute.",
            fix="remove them",
        )
    roots = {settings.data_dir, settings.datasets_dir}
    left = [*half_written(settings), *(place for root in roots for place in abandoned(root))]
    if left:
        yield warning(
            FOLDERS,
            f"{several(len(left), 'file or folder', 'files and folders')} of killed processes: {first([place.name for place in left])}.",
            "A worker of this machine removes them every DNA_TIDY_SECONDS.",
            fix="remove them",
        )


def _idle(sessions: Sessions, settings: WorkerSettings) -> list[Path]:
    """Run folders that nobody needs and nobody has written to for an hour: a worker may be about to."""
    idle = idle_run_folders(sessions, settings.data_dir, resumable_days=settings.artifact_days)
    young = time.time() - _QUIET_SECONDS
    return [path for path in idle if all(about.st_mtime < young for about in _stats(path))]


def _stats(folder: Path) -> Iterator[os.stat_result]:
    """Of the folder and all in it that is still there."""
    for place in (folder, *folder.rglob("*")):
        with suppress(FileNotFoundError):
            yield place.stat(follow_symlinks=False)


def _silent(sessions: Sessions, settings: WorkerSettings) -> Iterator[Finding]:
    """Nodes of this machine that still run, and that nobody has heard of."""
    with transaction(sessions) as session:
        gone = work.silent(session, settings.worker_timeout)
    for worker in gone:
        if worker.hostname == platform.node() and "worker.node" in _command(worker.pid):
            yield wrong(
                PROCESSES,
                f"The node of process {worker.pid} runs, and says nothing since {worker.last_seen_at:%Y-%m-%d %H:%M} UTC.",
                f"It may be stopped (kill -CONT {worker.pid}) or not reach PostgreSQL: its log says. Else end it; its worker starts another.",
            )


def _engines() -> Iterator[Finding]:
    """Engines whose node is gone. They notice it and leave; one that hangs in its device's driver cannot."""
    if not _PROC.is_dir():
        return
    for place in _PROC.iterdir():
        if place.name.isdigit() and "dna_engine serve" in _command(int(place.name)):
            parent = _parent(int(place.name))
            if parent is not None and "worker.node" not in _command(parent):
                yield warning(
                    PROCESSES,
                    f"The engine of process {place.name} has lost its node, and may hold its device.",
                    f"It leaves by itself within DNA_LEASE_SECONDS; if not, kill -9 {place.name}.",
                )


def _command(pid: int) -> str:
    """Empty of one that is gone."""
    try:
        return (_PROC / str(pid) / "cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace")
    except OSError:
        return ""


def _parent(pid: int) -> int | None:
    try:
        return int((_PROC / str(pid) / "stat").read_text().rpartition(")")[2].split()[1])
    except (OSError, ValueError):
        return None


if __name__ == "__main__":
    sys.exit(main())
