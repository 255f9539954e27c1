"""What a node works with: one device, one step at a time, and its row among the workers."""

from __future__ import annotations

import logging
import os
import platform
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from importlib.metadata import version
from uuid import UUID

from sqlalchemy.exc import OperationalError

from store import workers
from store.blobs import BlobStore
from store.session import Sessions, await_database, make_engine, make_sessions, transaction
from store.studies import Studies
from store.tables import Worker
from store.tracing import NO_TRACES, Tracer, open_tracer
from store.workers import Condition
from worker.devices import Device
from worker.engines import Engines
from worker.settings import WorkerSettings

logger = logging.getLogger("dna.worker.slot")


@dataclass(kw_only=True)
class Slot:
    """Made once per process.

    Attributes:
        engines: where the processes come from that do the work.
        studies: where trials are asked for and told of.
        worker: its row, as registered; never written through this object.
        stopping: set when this process is to leave; the step that runs goes back to the queue.
        current: the step that runs now.
        tracer: where spans of steps go.
        condition: of the device and the disk, as they were looked at last; None before.
        redis_answers: whether Redis answered when it was asked last; None before.
    """

    settings: WorkerSettings
    sessions: Sessions
    blobs: BlobStore
    engines: Engines
    studies: Studies
    worker: Worker
    stopping: threading.Event = field(default_factory=threading.Event)
    current: UUID | None = None
    device: Device
    tracer: Tracer = NO_TRACES
    condition: Condition | None = None
    redis_answers: bool | None = None


@contextmanager
def open_slot(
    settings: WorkerSettings, device: Device, queues: Sequence[str], worker_id: UUID | None = None
) -> Iterator[Slot]:
    """A slot that is known to the others as a live worker until the block ends, under that id or one of its own."""
    assert settings.database_url is not None
    engine = make_engine(settings.database_url, settings.database_timeouts)
    sessions = make_sessions(engine)
    studies = Studies(settings.database_url, settings.database_timeouts)
    tracer = open_tracer("dna-worker")
    try:
        await_database(engine, within=settings.database_start_seconds)
        with transaction(sessions) as session:
            worker = workers.register(
                session,
                hostname=platform.node(),
                pid=os.getpid(),
                device=device.name,
                device_name=device.label,
                queues=queues,
                versions={name: version(name) for name in ("dna-automl", "torch", "timm")},
                worker_id=worker_id,
            )
        environment = {"CUDA_VISIBLE_DEVICES": device.visible, "DNA_DATASETS": str(settings.datasets_dir)}
        # However late the lease was renewed before this process was stopped, its engine is gone when it runs out.
        patience = settings.lease_seconds - settings.lease_renew_seconds
        with Engines(device.engine_command, environment, patience) as engines:
            blobs = BlobStore(settings.artifacts)
            yield Slot(
                settings=settings,
                sessions=sessions,
                blobs=blobs,
                engines=engines,
                studies=studies,
                worker=worker,
                device=device,
                tracer=tracer,
            )
        _leave(sessions, worker)
    finally:
        tracer.close()
        studies.close()
        engine.dispose()


def _leave(sessions: Sessions, worker: Worker) -> None:
    try:
        with transaction(sessions) as session:
            workers.leave(session, worker.id)
    except OperationalError as error:  # It counts as live for a little longer.
        logger.warning("The database does not answer: %s", error.orig)
