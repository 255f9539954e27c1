"""Sends messages to webhooks, on the nodes that take the queue ``cpu``.

It has a thread with an event loop of its own: many receivers may be slow at once, and neither the node's heartbeat nor a lease waits for
one. Several nodes share the work by claims in PostgreSQL. Redis has no part in it.
"""

from __future__ import annotations

import logging
import random
import threading
import time
from datetime import UTC, datetime
from http import HTTPStatus
from types import TracebackType

import anyio
import httpcore
import httpx
import standardwebhooks
from anyio import CapacityLimiter, to_thread
from sqlalchemy.exc import SQLAlchemyError

from store import deliveries
from store.deliveries import Outcome, Taken
from store.reach import Reach, Unreachable
from store.session import Sessions, transaction
from worker.maintenance import Duty
from worker.post import post
from worker.settings import WorkerSettings

logger = logging.getLogger("dna.worker.courier")

#: A message stays claimed for so long beyond the time that its receiver has.
_LEASE_SECONDS = 30.0

#: What is being sent has so long to end when the node leaves; what has not is sent again by another.
_LEAVE_SECONDS = 2.0

#: Between two attempts to reach a database that is away.
_AWAY_SECONDS = 1.0

#: A pause before the next attempt is longer than planned by up to this share.
_JITTER = 0.2


class Courier:
    """Sends from the start of the ``with`` block to its end.

    Args:
        reach: which addresses may be connected to; by default as the settings say.
    """

    def __init__(self, sessions: Sessions, settings: WorkerSettings, *, reach: Reach | None = None) -> None:
        self._sessions = sessions
        self._settings = settings
        self._reach = reach or settings.reach
        self._tls = httpx.create_ssl_context()
        self._leaving = threading.Event()
        self._sending = 0
        self._duty = Duty("webhooks", settings.poll_seconds, lambda: anyio.run(self._send_all))

    def __enter__(self) -> Courier:
        self._duty.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self._duty.leave()
        self._leaving.set()
        self._duty.join()

    async def _send_all(self) -> None:
        """Takes what is due and sends it, as many messages at once as the settings say."""
        self._sending = 0
        self._lookups = CapacityLimiter(self._settings.webhooks_at_once)
        self._database = CapacityLimiter(2)
        async with anyio.create_task_group() as tasks:
            while not self._leaving.is_set():
                taken = await self._take()
                self._sending += len(taken)
                for message in taken:
                    tasks.start_soon(self._deliver, message)
                if not taken:
                    await anyio.sleep(self._settings.poll_seconds)
            tasks.cancel_scope.deadline = anyio.current_time() + _LEAVE_SECONDS

    async def _take(self) -> list[Taken]:
        room = self._settings.webhooks_at_once - self._sending
        try:
            return await to_thread.run_sync(self._claim, room, limiter=self._database) if room else []
        except SQLAlchemyError as error:
            logger.warning("The database does not answer, and no webhook is told anything: %s", error)
            await anyio.sleep(_AWAY_SECONDS)
            return []

    def _claim(self, room: int) -> list[Taken]:
        with transaction(self._sessions) as session:
            lease = self._settings.webhooks_seconds + _LEASE_SECONDS
            return deliveries.take(session, limit=room, lease_seconds=lease)

    async def _deliver(self, message: Taken) -> None:
        try:
            await self._settle(message, await self._attempt(message))
        except SQLAlchemyError:
            # The others go on; this one is sent again when its lease has run out.
            logger.exception("What came of message %s could not be told", message.id)
        finally:
            self._sending -= 1

    async def _attempt(self, message: Taken) -> Outcome:
        begun = time.monotonic()
        answer, error = None, None
        try:
            with anyio.fail_after(self._settings.webhooks_seconds):
                target = await to_thread.run_sync(
                    self._reach.target, message.url, limiter=self._lookups, abandon_on_cancel=True
                )
                answer = await post(target, _signed(message), message.body, self._tls)
                error = _refusal(answer.status)
        except TimeoutError:
            error = f"There was no answer within {self._settings.webhooks_seconds:g} s."
        except Unreachable as unreachable:
            error = unreachable.message
        except (httpcore.NetworkError, httpcore.ProtocolError, OSError) as broken:
            error = f"There was no answer ({type(broken).__name__}: {broken})."
        except Exception as fault:
            # The last frame of the attempt: whatever it was, the message has its end and the others are sent.
            logger.exception("Message %s could not be sent", message.id)
            error = f"It could not be sent ({type(fault).__name__})."
        seconds = time.monotonic() - begun
        if answer is None:
            return Outcome(seconds, error=error)
        return Outcome(seconds, answer.status, answer.beginning, error, answer.retry_after)

    async def _settle(self, message: Taken, outcome: Outcome) -> None:
        """Again while the database does not answer and the message is still claimed here."""
        until = anyio.current_time() + _LEASE_SECONDS
        while True:
            try:
                return await to_thread.run_sync(self._write, message, outcome, limiter=self._database)
            except SQLAlchemyError as error:
                if anyio.current_time() > until:
                    raise
                logger.warning("What came of message %s is told later: %s", message.id, error)
                await anyio.sleep(_AWAY_SECONDS)

    def _write(self, message: Taken, outcome: Outcome) -> None:
        with transaction(self._sessions) as session:
            longer = random.uniform(0, _JITTER)
            deliveries.settle(session, message, outcome, self._settings.webhooks_patience, longer=longer)


def _signed(message: Taken) -> dict[str, str]:
    """The headers of Standard Webhooks; of each secret that signs a signature, the newest first."""
    now = datetime.now(UTC)
    signatures = [
        standardwebhooks.Webhook(secret).sign(str(message.id), now, message.body) for secret in message.secrets
    ]
    return {
        "webhook-id": str(message.id),
        "webhook-timestamp": str(int(now.timestamp())),
        "webhook-signature": " ".join(signatures),
    }


def _refusal(status: int) -> str | None:
    """Why an answer of that status is none that takes the message; None where it takes it."""
    if 200 <= status < 300:
        return None
    if 300 <= status < 400:
        return f"It answered {status}, and redirects are not followed. Give the webhook the URL that it leads to."
    if status == HTTPStatus.GONE:
        return "It answered 410 Gone."
    return f"It answered {status}."
