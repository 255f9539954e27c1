"""One Celery node: one process, one device, one step at a time. ``python -m worker`` starts a machine's nodes.

The node leaves when its standard input closes, so that nodes do not outlive the process that started them.
"""

from __future__ import annotations

import argparse
import gc
import logging
import os
import platform
import signal
import sys
import threading
from contextlib import nullcontext
from uuid import UUID

from celery import Celery
from celery.exceptions import Reject
from celery.signals import setup_logging, worker_shutting_down
from sqlalchemy.exc import SQLAlchemyError
from structlog.contextvars import bound_contextvars

from dna_engine.plans.steps import CPU_QUEUE
from store import claims, flow, line, logs, workers
from store.claims import Claim
from store.session import transaction
from worker.app import make_app
from worker.courier import Courier
from worker.devices import Device
from worker.handover import LeftToFaster, suited, take_share
from worker.maintenance import Maintenance, Unfit
from worker.outbox import relay
from worker.settings import WorkerSettings
from worker.slot import Slot, open_slot
from worker.supervisor import supervise
from worker.tasks import register

logger = logging.getLogger("dna.worker.node")

#: How long a message is kept before it is given back, while nothing can be claimed.
PAUSE_SECONDS = 1.0


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(
        prog="python -m worker.node", description="One node; python -m worker starts them."
    )
    parser.add_argument("--name", required=True, help="name of the node, e.g. gpu-0")
    parser.add_argument("--queues", required=True, help="queues it takes steps from, e.g. gpu or gpu,gpu2")
    parser.add_argument("--device", required=True, help="cpu, cuda:0 or cuda:0,cuda:1")
    parser.add_argument("--device-label", required=True, help="the device as people call it")
    parser.add_argument("--id", type=UUID, help="of this worker, by which who has started it knows it")
    chosen = parser.parse_args(arguments)
    threading.Thread(target=_leave_with_stdin, name="leave-with-stdin", daemon=True).start()
    settings = WorkerSettings()
    logs.configure(settings.log_format, process=chosen.name)
    device = Device(chosen.device, chosen.device_label)
    with open_slot(settings, device, chosen.queues.split(","), chosen.id) as slot:
        return Node(slot, make_app(settings), chosen.name).run()


class Node:
    """Celery's worker around a slot."""

    def __init__(self, slot: Slot, app: Celery, name: str) -> None:
        self._slot = slot
        self._app = app
        self._name = name
        self._maintenance = Maintenance(slot, app)
        tells = CPU_QUEUE in slot.worker.queues
        self._courier = Courier(slot.sessions, slot.settings) if tells else nullcontext()
        self._unanswered = False

    def run(self) -> int:
        """Takes steps until the process is told to leave; returns its exit code."""
        register(self._app, self.run_step)
        setup_logging.connect(_keep_logging)
        worker_shutting_down.connect(self._leave)
        worker = self._app.Worker(
            hostname=f"{self._name}-{os.getpid()}@{platform.node()}",
            queues=self._slot.worker.queues,
            quiet=True,
            loglevel="INFO",
            without_gossip=True,
            without_mingle=True,
            without_heartbeat=True,
        )
        # What is there by now stays: to look through all of it for garbage would hold up a claim or a heartbeat for a quarter of a second.
        gc.freeze()
        with self._maintenance, self._courier:
            worker.start()
        self._send()
        return int(worker.exitcode or 0)

    def run_step(self, step_id: UUID, queue: str) -> None:
        """Runs the next step of the queue, whichever the message names; does nothing when there is nothing to do.

        Raises:
            Reject: nothing can be claimed now; the message goes back to the queue.
        """
        if self._slot.stopping.is_set():
            raise Reject("this worker is leaving", requeue=True)
        if queue not in self._slot.worker.queues:
            logger.warning(
                "Dropped a message that says it is of the queue %.80r, whose steps are not for this node.", queue
            )
            return
        claim = self._claim_or_give_back(queue)
        if claim is None:
            logger.info("Woken for step %s, but nothing waits.", step_id)
            return
        self._slot.current = claim.step_id
        try:
            with bound_contextvars(**_of_step(claim)):
                supervise(self._slot, claim)
        finally:
            self._slot.current = None
        self._send()

    def _claim_or_give_back(self, queue: str) -> Claim | None:
        """The message stands for a step that waits: whatever keeps this node from claiming, another may."""
        try:
            self._maintenance.check()
            return self._claim(queue)
        except Unfit as error:
            logger.error("%s", error)
            why = str(error)
        except LeftToFaster as error:
            logger.info("%s, and the message goes back to the queue.", error)
            why = str(error)
        except SQLAlchemyError as error:
            logger.warning("The database does not answer, and the message goes back to the queue: %s", error)
            self._unanswered, why = True, "the database does not answer"
        except Exception:
            logger.exception("The step could not be claimed, and the message goes back to the queue.")
            why = "the step could not be claimed"
        self._slot.stopping.wait(PAUSE_SECONDS)
        raise Reject(why, requeue=True)

    def _claim(self, queue: str) -> Claim | None:
        """The next step of the queue, or one beside it, without cells that idle workers take; again while others are quicker. First what
        was claimed before without an answer.

        It is the queue that the message came by: so each keeps as many messages as it has steps, though some nodes take several.
        """
        slot, lease_seconds = self._slot, self._slot.settings.lease_seconds
        while True:
            with transaction(slot.sessions) as session:
                claim = claims.of_worker(session, slot.worker) if self._unanswered else None
                if claim is not None:
                    claims.renew(session, claim, lease_seconds=lease_seconds)
                    workers.beat(session, slot.worker, current_step_id=claim.step_id)
                elif step := line.next_step(session, queue):
                    step_id = suited(session, step, slot.worker, slot.settings)
                    claim = flow.claim(session, step_id, slot.worker, lease_seconds=lease_seconds)
                    if claim is None:
                        continue
                    claim = take_share(session, claim, slot.worker, slot.settings)
            self._unanswered = False
            return claim

    def _send(self) -> None:
        """Sends what the step has put into the outbox at once; what cannot be sent now the next round of the relay sends."""
        try:
            relay(self._slot.sessions, self._app)
        except SQLAlchemyError as error:
            logger.warning("The database does not answer: %s", error)

    def _leave(self, **_: object) -> None:
        """Celery was told to stop and waits for the running step, which goes back to the queue."""
        self._slot.stopping.set()


def _of_step(claim: Claim) -> dict[str, str]:
    """What stands in every line that is said of the step, here and in its engine."""
    request = {"request_id": claim.request_id} if claim.request_id else {}
    return {**request, "job_id": str(claim.job_id), "step_id": str(claim.step_id)}


def _keep_logging(**_: object) -> None:
    """Celery leaves logging alone when somebody listens here."""


def _leave_with_stdin() -> None:
    try:
        while os.read(sys.stdin.fileno(), 4096):
            pass
    finally:
        os.kill(os.getpid(), signal.SIGTERM)


if __name__ == "__main__":
    sys.exit(main())
