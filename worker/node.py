"""One Celery node: one process, one device, one step at a time. ``python -m worker`` starts a machine's nodes.

The node leaves when its standard input closes, so that nodes do not outlive the process that started them.
"""

from __future__ import annotations

import argparse
import logging
import os
import signal
import sys
import threading
from uuid import UUID

from celery import Celery
from celery.exceptions import Reject
from celery.signals import setup_logging, worker_shutting_down

from store import claims, flow, workers
from store.claims import Claim
from store.session import transaction
from worker.app import make_app
from worker.devices import Device
from worker.maintenance import Maintenance
from worker.outbox import relay
from worker.settings import WorkerSettings
from worker.slot import Slot, open_slot
from worker.supervisor import supervise
from worker.tasks import register

logger = logging.getLogger("dna.worker.node")


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(
        prog="python -m worker.node", description="One node; python -m worker starts them."
    )
    parser.add_argument("--name", required=True, help="name of the node, e.g. gpu-0")
    parser.add_argument("--queues", required=True, help="queues it takes steps from, e.g. gpu")
    parser.add_argument("--device", required=True, help="cpu or cuda:0")
    parser.add_argument("--device-label", required=True, help="the device as people call it")
    chosen = parser.parse_args(arguments)
    logging.basicConfig(level=logging.INFO, format=f"%(asctime)s {chosen.name} %(levelname)s %(name)s: %(message)s")
    settings = WorkerSettings()
    device = Device(chosen.device, chosen.device_label)
    with open_slot(settings, device, chosen.queues.split(",")) as slot:
        return Node(slot, make_app(settings), chosen.name).run()


class Node:
    """Celery's worker around a slot."""

    def __init__(self, slot: Slot, app: Celery, name: str) -> None:
        self._slot = slot
        self._app = app
        self._name = name

    def run(self) -> int:
        """Takes steps until the process is told to leave; returns its exit code."""
        register(self._app, self.run_step)
        setup_logging.connect(_keep_logging)
        worker_shutting_down.connect(self._leave)
        threading.Thread(target=_leave_with_stdin, name="leave-with-stdin", daemon=True).start()
        worker = self._app.Worker(
            hostname=f"{self._name}-{os.getpid()}@%h",
            queues=self._slot.worker.queues,
            quiet=True,
            loglevel="INFO",
            without_gossip=True,
            without_mingle=True,
            without_heartbeat=True,
        )
        with Maintenance(self._slot, self._app):
            worker.start()
        relay(self._slot.sessions, self._app)
        return int(worker.exitcode or 0)

    def run_step(self, step_id: UUID) -> None:
        """Runs the oldest step that waits, whichever the message names; does nothing when there is nothing to do."""
        if self._slot.stopping.is_set():
            raise Reject("this worker is leaving", requeue=True)
        claim = self._claim()
        if claim is None:
            logger.info("Woken for step %s, but nothing waits.", step_id)
            return
        self._slot.current = claim.step_id
        supervise(self._slot, claim)
        self._slot.current = None
        relay(self._slot.sessions, self._app)

    def _claim(self) -> Claim | None:
        """The oldest step that waits; again while others are quicker."""
        slot = self._slot
        while True:
            with transaction(slot.sessions) as session:
                step_id = claims.oldest_waiting(session, slot.worker.queues)
                if step_id is None:
                    return None
                claim = flow.claim(session, step_id, slot.worker, lease_seconds=slot.settings.lease_seconds)
                if claim is not None:
                    workers.beat(session, slot.worker.id, current_step_id=step_id)
                    return claim

    def _leave(self, **_: object) -> None:
        """Celery was told to stop and waits for the running step, which goes back to the queue."""
        self._slot.stopping.set()


def _keep_logging(**_: object) -> None:
    """Celery leaves logging alone when somebody listens here."""


def _leave_with_stdin() -> None:
    while os.read(sys.stdin.fileno(), 4096):
        pass
    os.kill(os.getpid(), signal.SIGTERM)


if __name__ == "__main__":
    sys.exit(main())
