"""``python -m worker``: everything one machine needs, one Celery node for each device and some for the rest, until SIGTERM.

A node that dies is started again, and what it ran is free for others. On SIGTERM or Ctrl-C the nodes' engines write checkpoints, their steps go back to the
queue, and all have left within about ten seconds.
"""

from __future__ import annotations

import argparse
import logging
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import timedelta
from functools import partial
from uuid import UUID

from pydantic import ValidationError
from sqlalchemy.exc import OperationalError, SQLAlchemyError

from dna_engine.plans.steps import CPU_QUEUE, device_queues
from store import claims, logs, workers
from store.columns import new_id
from store.errors import StoreError
from store.migrate import is_current
from store.session import make_engine, make_sessions, once_reached, transaction
from store.settings import wrong_settings
from worker.devices import Device, cpu, find_devices, shared_out
from worker.settings import WorkerSettings

logger = logging.getLogger("dna.worker")

#: How often the nodes are looked at, in seconds.
WATCH_SECONDS = 0.5

#: The longest pause before a node that keeps dying is started again, in seconds.
MAX_PAUSE = 30.0

#: Beyond the engine's grace, what a node takes to settle its step and leave, in seconds.
LEAVE_SECONDS = 5.0


#: An engine leaves as soon as it is alone, long before that: two would get in each other's way on one device.
ENGINE_ENDS = timedelta(seconds=5)


class NotReady(StoreError):
    """Something must be set or started before a worker can."""


@dataclass(frozen=True)
class NodePlan:
    """A node to start: its name, the queues it takes steps from, where its engine runs."""

    name: str
    queues: Sequence[str]
    device: Device

    def command(self, worker_id: UUID) -> list[str]:
        what = ["--name", self.name, "--queues", ",".join(self.queues)]
        where = ["--device", self.device.name, "--device-label", self.device.label]
        return [sys.executable, "-m", "worker.node", *what, *where, "--id", str(worker_id)]


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m worker", description="Runs steps of jobs on this machine.")
    parser.add_argument(
        "--queues", default="gpu,cpu", help="gpu: teacher, distill, rate, train; cpu: select, export (default: gpu,cpu)"
    )
    parser.add_argument("--concurrency", type=int, default=1, help="nodes for the cpu queue (default: 1)")
    parser.add_argument(
        "--devices",
        metavar="all|cpu|0,1",
        help="devices of this machine that take steps, each its own: all of them, or some by number; default: DNA_DEVICE, else all",
    )
    parser.add_argument(
        "--devices-per-step",
        type=int,
        help="GPUs of each node, for trainings that ask for several (devices); default: DNA_DEVICES_PER_STEP, else 1",
    )
    chosen = parser.parse_args(arguments)
    try:
        given = {"devices_per_step": chosen.devices_per_step, "device": chosen.devices}
        asked = {name: value for name, value in given.items() if value is not None}
        settings = WorkerSettings.model_validate(asked)
        logs.configure(settings.log_format, process="worker")
        check(settings)
        devices = shared_out(find_devices(settings.device), settings.devices_per_step)
        nodes = plan(chosen.queues.split(","), devices, chosen.concurrency)
    except ValidationError as error:
        print(f"A setting is wrong. {wrong_settings(error)}", file=sys.stderr)
        return 2
    except StoreError as error:
        print(error.message, file=sys.stderr)
        return 2
    stop = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.set())
    run(nodes, stop, partial(let_go, settings), leave_seconds=settings.stop_grace_seconds + LEAVE_SECONDS)
    return 0


def check(settings: WorkerSettings) -> None:
    """Looks before anything is started, and waits for a database that is starting.

    Raises:
        NotReady: a server is not named or does not answer, or the schema is another one; says what to do.
    """
    if settings.database_url is None or settings.redis_url is None:
        raise NotReady("Set DNA_DATABASE_URL and DNA_REDIS_URL, or use dna up, which starts both servers here.")
    engine = make_engine(settings.database_url, settings.database_timeouts, pool_size=1)
    try:
        current = once_reached(engine, is_current, within=settings.database_start_seconds)
    except OperationalError as error:
        raise NotReady(f"The database of DNA_DATABASE_URL cannot be used: {error.orig}") from error
    finally:
        engine.dispose()
    if not current:
        raise NotReady("The database has another schema than this version; run python -m store migrate.")


def plan(queues: Sequence[str], devices: Sequence[Device], concurrency: int) -> list[NodePlan]:
    """One node for each of the devices, and ``concurrency`` for steps that need none.

    Raises:
        NotReady: a queue that does not exist.
    """
    if unknown := set(queues) - {"gpu", "cpu"}:
        raise NotReady(f"There is no queue {sorted(unknown)[0]!r}; the queues are gpu and cpu.")
    nodes = []
    if "gpu" in queues:
        nodes += [NodePlan(f"gpu{place}", device_queues(device.count), device) for place, device in enumerate(devices)]
    if "cpu" in queues:
        nodes += [NodePlan(f"cpu{place}", [CPU_QUEUE], cpu()) for place in range(concurrency)]
    return nodes


def let_go(settings: WorkerSettings, worker_id: UUID) -> None:
    """Others take over what a worker held that has died, without waiting for the end of its lease. Where the database does not answer, then."""
    assert settings.database_url is not None
    engine = make_engine(settings.database_url, settings.database_timeouts, pool_size=1)
    try:
        with transaction(make_sessions(engine)) as session:
            freed = claims.let_go(session, worker_id, after=ENGINE_ENDS)
            workers.leave(session, worker_id)
    except SQLAlchemyError as error:
        logger.warning(
            "What it held is free for others at the end of its lease, as the database does not answer: %s", error
        )
        return
    finally:
        engine.dispose()
    if freed:
        logger.warning("The step that it ran is free for others in %.0f s.", ENGINE_ENDS.total_seconds())


def run(
    nodes: Sequence[NodePlan], stop: threading.Event, died: Callable[[UUID], None], *, leave_seconds: float
) -> None:
    """Keeps every node alive until ``stop``, then ends them all.

    Args:
        died: told which worker a node was that has ended by itself.
    """
    threads = [threading.Thread(target=_keep, args=(node, stop, died, leave_seconds), name=node.name) for node in nodes]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


def _keep(node: NodePlan, stop: threading.Event, died: Callable[[UUID], None], leave_seconds: float) -> None:
    """Runs a node, and again with growing pauses when it ends by itself."""
    pause = 1.0
    while True:
        begun, worker_id = time.monotonic(), new_id()
        try:
            _run_once(node, worker_id, stop, leave_seconds)
        except OSError as error:  # The machine is short of memory, processes or files; it may not be for long.
            logger.error("%s cannot be started: %s", node.name, error)
        if stop.is_set():
            return
        pause = 1.0 if time.monotonic() - begun > MAX_PAUSE else min(2 * pause, MAX_PAUSE)
        logger.warning("%s has ended; it is started again in %.0f s.", node.name, pause)
        died(worker_id)
        stop.wait(pause)


def _run_once(node: NodePlan, worker_id: UUID, stop: threading.Event, leave_seconds: float) -> None:
    """Runs a node to its end, or until ``stop``: it is asked to leave, then killed.

    The node has a session of its own, so a terminal's Ctrl-C reaches this process only, and it leaves when the pipe to its
    standard input closes, so it does not outlive this process.
    """
    # Remapped, Celery would leave before the step is back in the queue.
    environment = {name: value for name, value in os.environ.items() if name != "REMAP_SIGTERM"}
    with subprocess.Popen(
        node.command(worker_id), stdin=subprocess.PIPE, env=environment, start_new_session=True
    ) as process:
        while process.poll() is None and not stop.wait(WATCH_SECONDS):
            pass
        process.terminate()
        try:
            process.wait(leave_seconds)
        except subprocess.TimeoutExpired:
            logger.warning("%s did not leave within %.0f s and is killed.", node.name, leave_seconds)
            process.kill()


if __name__ == "__main__":
    sys.exit(main())
