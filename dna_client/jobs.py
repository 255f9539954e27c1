"""Jobs: searches, trainings and tunings. What is done with one of any kind, in one place."""

from __future__ import annotations

import re
import uuid
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, Generic, TypeVar, cast

from dna_client import events
from dna_client.download import Downloaded, download
from dna_client.errors import JobNotSucceeded
from dna_client.models import (
    Confusion,
    Event,
    Format,
    JobKind,
    JobSummary,
    Page,
    Prediction,
    Priority,
    Search,
    SearchSummary,
    Series,
    Training,
    TrainingEstimate,
    TrainingSummary,
    Trial,
    Tuning,
    TuningEstimate,
    TuningSummary,
)
from dna_client.predict import predict
from dna_client.transport import Transport

Detail = TypeVar("Detail", bound=JobSummary)
Summary = TypeVar("Summary", bound=JobSummary)

#: On a page, where all are read.
_AT_ONCE = 200

_ENDS = {"failed": "failed", "cancelled": "was cancelled"}


class Jobs(Generic[Detail, Summary]):
    """The jobs of one kind. Raises as :class:`dna_client.Client` does.

    Attributes:
        name: what one of them is called, and the command on them: ``search``.
        plural: what several are called, and their path: ``searches``.
    """

    name: JobKind
    plural: str

    def __init__(self, transport: Transport) -> None:
        self._transport = transport

    def create(self, spec: Mapping[str, Any], *, idempotency_key: str | None = None) -> Detail:
        """Creates a job once, however often the request has to be sent.

        Args:
            spec: as ``POST`` of the kind takes it; with ``from``, the id of a job, that job's spec with the other fields merged over it.
            idempotency_key: to repeat the call from another process; by default a new one.

        Raises:
            InvalidRequest: fields that are wrong.
        """
        headers = {"idempotency-key": idempotency_key or str(uuid.uuid4())}
        return cast(Detail, self._transport.call("POST", f"/{self.plural}", json=spec, headers=headers))

    def list(
        self,
        *,
        state: str | Sequence[str] | None = None,
        priority: str | Sequence[str] | None = None,
        dataset: str | None = None,
        labels: Mapping[str, str | None] | None = None,
        ref: str | None = None,
        q: str | None = None,
        sort: str | None = None,
        cursor: str | None = None,
        limit: int = 50,
    ) -> Page[Summary]:
        """A page of jobs, newest first; those that have all of ``labels``, and that ``ref`` may mean.

        Args:
            state: one, or several.
            priority: the same.
            labels: None for any value.
            ref: a name, or at least four digits of the beginning or the end of an id.
            q: part of a name, whatever the case.
            sort: name, state, progress, created_at, finished_at, and of results such as accuracy; with - in front from the most on.
            cursor: ``next`` of the page before, which was asked for with the same words.
        """
        which = {"state": state, "priority": priority, "dataset": dataset, "ref": ref, "q": q, "sort": sort}
        return self._page(which, labels, cursor, limit)

    def every(
        self,
        *,
        state: str | Sequence[str] | None = None,
        priority: str | Sequence[str] | None = None,
        dataset: str | None = None,
        labels: Mapping[str, str | None] | None = None,
        q: str | None = None,
        sort: str | None = None,
    ) -> Iterator[Summary]:
        """All jobs as :meth:`list` has them, read page by page."""
        which = {"state": state, "priority": priority, "dataset": dataset, "q": q, "sort": sort, "limit": _AT_ONCE}
        return cast(Iterator[Summary], self._transport.pages(f"/{self.plural}", {**which, "label": _labels(labels)}))

    def get(self, job_id: str) -> Detail:
        return cast(Detail, self._transport.call("GET", self._path(job_id)))

    def cancel(self, job_id: str) -> Detail:
        """Asks a job to stop; it is ``cancelled`` within seconds and can be resumed."""
        return cast(Detail, self._transport.call("POST", f"{self._path(job_id)}/cancel"))

    def resume(self, job_id: str) -> Detail:
        """Goes on with a failed or cancelled job from its checkpoints."""
        return cast(Detail, self._transport.call("POST", f"{self._path(job_id)}/resume", repeatable=False))

    def update(
        self,
        job_id: str,
        *,
        name: str | None = None,
        labels: Mapping[str, str | None] | None = None,
        priority: Priority | None = None,
    ) -> Detail:
        """Renames a job or changes its labels or priority; what is not named stays.

        Args:
            labels: to set; None takes one away.

        Raises:
            InvalidRequest: a name or a label that is none.
            Conflict: the priority of a finished job.
            Unauthorized: one that the key may not give.
        """
        given = (("name", name), ("labels", labels), ("priority", priority))
        patch = {field: value for field, value in given if value is not None}
        return cast(Detail, self._transport.call("PATCH", self._path(job_id), json=patch))

    def delete(self, job_id: str) -> None:
        """Deletes a finished job with its files."""
        self._transport.call("DELETE", self._path(job_id), repeatable=False)

    def events(self, job_id: str, *, after: int = 0, waits: bool = False) -> Iterator[Event]:
        """Events that follow number ``after`` as they happen, without a gap, until the job has finished.

        Args:
            waits: also events ``waiting`` without a number of their own: what the job waits for just now.
        """
        return events.follow(self._transport, self._path(job_id), after, waits=waits)

    def happened(self, job_id: str, *, after: int = 0, types: Sequence[str] = ()) -> Iterator[Event]:
        """Events that follow number ``after`` and are there by now, oldest first; only those of these types, where some are given."""
        params = {"after": after, "type": list(types), "limit": 200}
        return cast(Iterator[Event], self._transport.pages(f"{self._path(job_id)}/events/list", params))

    def metrics(self, job_id: str, *, prefix: str = "", points: int = 1000) -> Series:
        """Points (x, y) by series, such as ``distill/b1c1/loss``; only series whose names start with ``prefix``.

        A series of more than ``points`` is thinned: its ends stay, and of each stretch the lowest and the highest point.
        """
        params = {"prefix": prefix, "points": points}
        answer = self._transport.call("GET", f"{self._path(job_id)}/metrics", params=params)
        return {name: [(x, y) for x, y in points] for name, points in answer["series"].items()}

    def wait(self, job_id: str) -> Detail:
        """The job, once it has succeeded.

        Raises:
            JobNotSucceeded: it failed or was cancelled; says why.
        """
        for _ in self.events(job_id):
            pass
        return self.succeeded(self.get(job_id))

    def succeeded(self, job: Detail) -> Detail:
        """The job itself.

        Raises:
            JobNotSucceeded: it has not succeeded; says why, and how it can go on.
        """
        if job["state"] == "succeeded":
            return job
        error = job["error"]
        reason = f": {error['message'].rstrip('.')}" if error else ""
        what = _ENDS.get(job["state"], f"is {job['state']}")
        kind, job_id = self.followed(job)
        raise JobNotSucceeded(
            f"The {self.name} {job['id']} {what}{reason}.\nTo go on from where it was: dna {kind} resume {job_id}"
        )

    def followed(self, job: Detail) -> tuple[JobKind, str]:
        """Kind and id of the job whose events are those of this one, and that is steered where this one cannot be by itself."""
        return self.name, job["id"]

    def _path(self, job_id: str) -> str:
        return f"/{self.plural}/{job_id}"

    def _page(
        self, which: Mapping[str, Any], labels: Mapping[str, str | None] | None, cursor: str | None, limit: int
    ) -> Page[Summary]:
        params = {**which, "label": _labels(labels), "cursor": cursor, "limit": limit}
        return cast(Page[Summary], self._transport.call("GET", f"/{self.plural}", params=params))


def _labels(labels: Mapping[str, str | None] | None) -> list[str]:
    """As queries have them: the key ends at the first colon that has no backslash before it."""
    written = {re.sub(r"([\\:])", r"\\\1", key): value for key, value in (labels or {}).items()}
    return [key if value is None else f"{key}:{value}" for key, value in written.items()]


class Searches(Jobs[Search, SearchSummary]):
    """Searches; what is asked of one alone, such as its frontier, is the client's."""

    name = "search"
    plural = "searches"


class Trainings(Jobs[Training, TrainingSummary]):
    """Trainings: those made alone, and those that are part of a search. The latter are steered through their search alone, and
    their events and metrics are the search's.
    """

    name = "training"
    plural = "trainings"

    def list(
        self,
        *,
        state: str | Sequence[str] | None = None,
        priority: str | Sequence[str] | None = None,
        dataset: str | None = None,
        labels: Mapping[str, str | None] | None = None,
        ref: str | None = None,
        q: str | None = None,
        sort: str | None = None,
        cursor: str | None = None,
        limit: int = 50,
        architecture: str | None = None,
        search: str | None = None,
    ) -> Page[TrainingSummary]:
        """As of every kind of job; also only those of the network, or of the networks of a search, with that id."""
        of = {"architecture": architecture, "search": search}
        which = {"state": state, "priority": priority, "dataset": dataset, "ref": ref, "q": q, "sort": sort}
        return self._page({**of, **which}, labels, cursor, limit)

    def download(self, training_id: str, file_format: Format, target: Path) -> Downloaded:
        """Writes the network as this training left it to ``target``, or under the server's name into it when it is a folder.

        Raises:
            CorruptDownload: what arrived has another SHA-256 than was announced.
            LocalError: ``target`` cannot be written.
        """
        return download(self._transport, f"{self._path(training_id)}/download", {"format": file_format}, target)

    def predict(self, training_id: str, picture: Path, *, top_k: int = 5) -> Prediction:
        """What the network answers to a picture as this training left it; raises as ``Client.predict``."""
        return predict(self._transport, self._path(training_id), picture, top_k)

    def confusion(self, training_id: str, shown: Confusion, target: Path) -> Downloaded:
        """Writes the confusion matrix on the test images to ``target``, or under the server's name into it when it is a folder.

        Raises:
            CorruptDownload, LocalError: as for :meth:`download`.
        """
        return download(self._transport, f"{self._path(training_id)}/confusion", {"format": shown}, target)

    def estimate(self, spec: Mapping[str, Any]) -> TrainingEstimate:
        """What a training would take. Nothing is stored."""
        return cast(TrainingEstimate, self._transport.call("POST", f"/{self.plural}/estimate", json=spec))

    def followed(self, job: Training) -> tuple[JobKind, str]:
        return ("search", job["search_id"]) if job["search_id"] else super().followed(job)


class Tunings(Jobs[Tuning, TuningSummary]):
    """Tunings; a training takes what one has found by its ``recipe``."""

    name = "tuning"
    plural = "tunings"

    def estimate(self, spec: Mapping[str, Any]) -> TuningEstimate:
        """What a tuning would take. Nothing is stored."""
        return cast(TuningEstimate, self._transport.call("POST", f"/{self.plural}/estimate", json=spec))

    def trials(self, tuning_id: str) -> Iterator[Trial]:
        """All trials by number, read page by page."""
        params: dict[str, Any] = {"limit": 200}
        while True:
            page = cast(Page[Trial], self._transport.call("GET", f"{self._path(tuning_id)}/trials", params=params))
            yield from page["items"]
            if page["next"] is None:
                return
            params["cursor"] = page["next"]

    def importance(self, tuning_id: str) -> dict[str, float]:
        """How much each field of the recipe mattered, the most important first; in all 1. Empty before ten trials are complete."""
        found: dict[str, float] = self._transport.call("GET", f"{self._path(tuning_id)}/importance")["importance"]
        return found
