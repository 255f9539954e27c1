"""``Idempotency-Key``: the same request again is not done again, it gets the same answer, byte for byte."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from typing import Annotated

from fastapi import Depends, Header, Request, Response
from sqlalchemy.orm import Session

from api.auth import CallerDep
from api.deps import ResourcesDep
from store import idempotency
from store.actors import Actor
from store.keys import Caller
from store.settings import Settings

_KEPT_HEADERS = ("location", "content-type")


@dataclass(frozen=True)
class Once:
    """One request under its key. Without a key it is simply done.

    Attributes:
        actor: who sends it.
        owner: whose key it is; keys of different callers have nothing to do with each other.
        request_sha256: of method, path and body: what "the same request" means.
    """

    actor: Actor
    owner: str
    key: str | None
    request_sha256: str
    keep: timedelta

    def answer(self, session: Session, work: Callable[[], Response]) -> Response:
        """The stored answer, or that of ``work``, which is stored in the transaction of the work itself.

        Raises:
            RequestInFlight: the same request is being answered at this moment.
            IdempotencyMismatch: the key belongs to another request.
        """
        if self.key is None:
            return work()
        stored = idempotency.begin(
            session, owner=self.owner, key=self.key, request_sha256=self.request_sha256, keep=self.keep
        )
        if stored is not None:
            return Response(stored.body, stored.status, {**stored.headers, "Idempotent-Replayed": "true"})
        response = work()
        idempotency.finish(
            session,
            owner=self.owner,
            key=self.key,
            request_sha256=self.request_sha256,
            status=response.status_code,
            headers={name: response.headers[name] for name in _KEPT_HEADERS if name in response.headers},
            body=bytes(response.body),
        )
        return response


KeyHeader = Annotated[
    str | None,
    Header(min_length=1, max_length=255, description="Any unique text: repeats of the request are done only once."),
]


async def once(request: Request, caller: CallerDep, resources: ResourcesDep, idempotency_key: KeyHeader = None) -> Once:
    """The request's key and what it is a key to."""
    return make_once(request, caller, resources.settings, idempotency_key, await request.body())


OnceDep = Annotated[Once, Depends(once)]


def make_once(request: Request, caller: Caller, settings: Settings, key: str | None, body: bytes) -> Once:
    """The same where ``body`` stands for a body that is too large to hold."""
    content = b"\n".join((request.method.encode(), request.scope["path"].encode(), body))
    keep = timedelta(hours=settings.idempotency_hours)
    return Once(caller.actor, caller.owner, key, hashlib.sha256(content).hexdigest(), keep)
