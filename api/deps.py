"""What handlers ask for by type: a session that is a transaction, the settings, the queue, the files."""

from __future__ import annotations

from collections.abc import Iterator
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


ResourcesDep = Annotated[Resources, Depends(get_resources)]


def get_session(resources: ResourcesDep) -> Iterator[Session]:
    """A transaction that ends with the handler."""
    with transaction(resources.sessions) as session:
        yield session


# "function": the commit comes before the response, so a client that reads at once finds what it wrote, and a commit that
# fails is not reported as success.
SessionDep = Annotated[Session, Depends(get_session, scope="function")]
