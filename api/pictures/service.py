"""The pictures that a search left, or why there is none."""

from __future__ import annotations

from enum import StrEnum
from uuid import UUID

from sqlalchemy.orm import Session

from api.download import Content
from api.errors import Conflict, NotFound
from dna_engine.plans.files import PICTURES
from store import artifacts, searches
from store.blobs import BlobStore
from store.states import FINISHED


class Picture(StrEnum):
    """What there is to see; see ``dna_engine.plots``."""

    LOSS = "loss"
    FEATURES = "features"
    FRONTIER = "frontier"


def content(session: Session, blobs: BlobStore, search_id: UUID, picture: Picture) -> Content:
    """The file of a picture.

    Raises:
        NotFound: there is no such search, or it ended without pictures.
        Conflict: the search goes on; pictures come at its end.
    """
    search = searches.get(session, search_id)
    name = PICTURES[picture]
    artifact = artifacts.named(session, search_id, [name]).get(name)
    if artifact is not None:
        return Content.stored(blobs, artifact, f"{picture}-{search_id}", inline=True)
    if search.state in FINISHED:
        raise NotFound(f"The search {search.state.said} without this picture; its log may say why.")
    raise Conflict(f"There are no pictures yet: the search is {search.state}, in phase {search.phase}.")
