"""Finished ratings, parsed once and kept: what frontier, select and ratings are answered from, without any device."""

from __future__ import annotations

import json
import threading
from collections import OrderedDict
from typing import Any
from uuid import UUID

from sqlalchemy.orm import Session

from api.errors import Conflict
from dna_engine.plans.files import LATENCY, RATINGS
from dna_engine.select import LatencyTable, Problem, load_ratings
from dna_engine.spec import ResolvedSpec
from store import artifacts, jobs, searches
from store.blobs import BlobStore
from store.states import JobKind
from store.tables import Artifact


class RatedSearches:
    """The problems of the searches asked for last, at most ``size``. Safe to use from several threads."""

    def __init__(self, blobs: BlobStore, size: int) -> None:
        self._blobs = blobs
        self._size = size
        self._problems: OrderedDict[UUID, Problem] = OrderedDict()
        self._lock = threading.Lock()

    def get(self, session: Session, search_id: UUID) -> Problem:
        """The problem of a search that has been rated. Of one that is kept, only that it is still the one is read.

        Raises:
            NotFound: there is no such search.
            Conflict: its ratings are not finished.
        """
        jobs.known(session, JobKind.SEARCH, search_id)
        files = artifacts.named(session, search_id, [RATINGS, LATENCY])
        if RATINGS not in files:
            search = searches.get(session, search_id)
            raise Conflict(f"The search has no finished ratings yet: it {search.state.said}, in phase {search.phase}.")
        # By the file, not by the search: a search that is rated anew leaves another file.
        key = files[RATINGS].id
        with self._lock:
            if key in self._problems:
                self._problems.move_to_end(key)
                return self._problems[key]
        weights = ResolvedSpec.model_validate(searches.get(session, search_id).resolved).block_weights
        latency = LatencyTable.from_json(self._read(files[LATENCY])) if LATENCY in files else None
        problem = Problem(load_ratings(self._read(files[RATINGS])), weights, latency)
        self._keep(key, problem)
        return problem

    def _read(self, artifact: Artifact) -> dict[str, Any]:
        content: dict[str, Any] = json.loads(b"".join(self._blobs.read(artifacts.blob(artifact))))
        return content

    def _keep(self, artifact_id: UUID, problem: Problem) -> None:
        with self._lock:
            self._problems[artifact_id] = problem
            while len(self._problems) > self._size:
                self._problems.popitem(last=False)
