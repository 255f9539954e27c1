"""What handlers ask for by type: a session that is a transaction, the settings, the queue, the files; and a place to compute."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from typing import Annotated

from anyio import CapacityLimiter, to_thread
from fastapi import Depends, Request
from sqlalchemy.orm import Session

from api.resources import Resources
from store.actors import acting
from store.session import transaction


def get_resources(request: Request) -> Resources:
    """The resources of the running app."""
    resources = request.app.state.resources
    assert isinstance(resources, Resources)
    return resources


async def _resources(request: Request) -> Resources:
    """The same on the event loop: FastAPI would look in a thread, and those may all be taken."""
    return get_resources(request)


ResourcesDep = Annotated[Resources, Depends(_resources)]


@contextmanager
def reading(request: Request) -> Iterator[Session]:
    """A session that writes nothing, for a handler in a thread: each of its statements sees what is committed by then, so it needs neither
    BEGIN nor COMMIT. The caller acts in it, whom :func:`api.auth.authenticate` has found before.
    """
    with get_resources(request).reads(info=acting(request.state.caller.actor)) as session:
        yield session


async def get_session(request: Request, resources: ResourcesDep) -> AsyncIterator[Session]:
    """A transaction that ends with the handler, in which the caller acts, whom :func:`api.auth.authenticate` has found before. It begins with
    the first statement, in the thread of the handler; only its end, which waits for the database, needs a thread of its own.
    """
    opened = transaction(resources.sessions, request.state.caller.actor)
    # Its own: those of the handlers may all wait for a connection, and this one gives one back.
    thread = CapacityLimiter(1)
    session = opened.__enter__()
    try:
        yield session
    except BaseException as error:
        await to_thread.run_sync(opened.__exit__, type(error), error, error.__traceback__, limiter=thread)
        raise
    await to_thread.run_sync(opened.__exit__, None, None, None, limiter=thread)


# "function": the commit comes before the response, so a client that reads at once finds what it wrote, and a commit that
# fails is not reported as success.
SessionDep = Annotated[Session, Depends(get_session, scope="function")]


async def _heavy(resources: ResourcesDep) -> AsyncIterator[None]:
    async with resources.heavy.place():
        yield


async def _upload(resources: ResourcesDep) -> AsyncIterator[None]:
    async with resources.uploads.place():
        yield


#: For ``dependencies`` of a route that computes, and of one that takes archives. They come before what its handler asks for, so
#: that no connection is held while waiting.
HEAVY = Depends(_heavy, scope="function")
UPLOAD = Depends(_upload, scope="function")
