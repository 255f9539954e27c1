"""Finished ratings, parsed once and kept: what frontier, select and ratings are answered from, without any device."""

from __future__ import annotations

import json
import threading
from collections import OrderedDict
from uuid import UUID

from sqlalchemy.orm import Session

from api.errors import Conflict
from dna_engine.select import Problem, load_ratings
from dna_engine.spec import ResolvedSpec
from store import artifacts, searches
from store.blobs import BlobStore

RATINGS = "ratings.json"


class ProblemCache:
    """The problems of the searches asked for last, at most ``size``. Safe to use from several threads."""

    def __init__(self, blobs: BlobStore, size: int) -> None:
        self._blobs = blobs
        self._size = size
        self._problems: OrderedDict[UUID, Problem] = OrderedDict()
        self._lock = threading.Lock()

    def get(self, session: Session, search_id: UUID) -> Problem:
        """The problem of a search that has been rated.

        Raises:
            NotFound: there is no such search.
            Conflict: its ratings are not finished.
        """
        search = searches.get(session, search_id)
        artifact = artifacts.named(session, search_id, [RATINGS]).get(RATINGS)
        if artifact is None:
            raise Conflict(f"The search has no finished ratings yet: it is {search.state}, in phase {search.phase}.")
        # By the file, not by the search: a search that is rated anew leaves another file.
        with self._lock:
            if artifact.id in self._problems:
                self._problems.move_to_end(artifact.id)
                return self._problems[artifact.id]
        content = b"".join(self._blobs.read(artifacts.blob(artifact)))
        weights = ResolvedSpec.model_validate(search.resolved).block_weights
        problem = Problem(load_ratings(json.loads(content)), weights)
        self._keep(artifact.id, problem)
        return problem

    def _keep(self, artifact_id: UUID, problem: Problem) -> None:
        with self._lock:
            self._problems[artifact_id] = problem
            while len(self._problems) > self._size:
                self._problems.popitem(last=False)
