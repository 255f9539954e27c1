"""What handlers ask for by type: a session that is a transaction, the settings, the queue, the files; and a place to compute."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from typing import Annotated

from fastapi import Depends, Request
from sqlalchemy.orm import Session

from api.resources import Resources
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


def get_session(resources: ResourcesDep) -> Iterator[Session]:
    """A transaction that ends with the handler."""
    with transaction(resources.sessions) as session:
        yield session


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
