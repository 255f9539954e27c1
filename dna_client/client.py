"""The client: one method for each thing the service does, JSON objects in and out, errors as exceptions.

with Client("http://127.0.0.1:8000") as client:
    search = client.create_search({"dataset": "digits", "budget": {"flops": 800_000}})
    search = client.wait(search["id"])
    training = client.trainings.create({"architecture": search["best"]["architecture_id"], "dataset": "digits", "epochs": 100})
    client.trainings.wait(training["id"])
    client.trainings.download(training["id"], "onnx", Path("winner.onnx"))
"""

from __future__ import annotations

import os
import time
import uuid
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import Any, Self, cast

from dna_client.checks import Checks
from dna_client.download import Downloaded, download
from dna_client.errors import InvalidRequest, JobNotSucceeded, LocalError
from dna_client.jobs import Searches, Trainings, Tunings
from dna_client.models import (
    FINISHED,
    Architecture,
    ArchitectureSummary,
    Dataset,
    Estimate,
    Event,
    Format,
    Frontier,
    MyKey,
    Page,
    Picture,
    Prediction,
    Priority,
    Rating,
    Recipe,
    Search,
    SearchSummary,
    Selection,
    Series,
    Space,
    Teacher,
    Timing,
    Training,
    Worker,
)
from dna_client.predict import predict
from dna_client.transport import PAUSES, Transport
from dna_client.upload import Told, check_name, packed, send, unheard, withdraw
from dna_client.webhooks import Webhooks

#: Seconds between two looks at a timing.
_BETWEEN_LOOKS = 0.5
#: The least and the most of a figure, both included; None for no limit.
Span = tuple[float | None, float | None]


class Client:
    """A connection to one service. Close it, or use it in a ``with``. Not for use by several threads at once.

    Searches, trainings and tunings are jobs: ``searches``, ``trainings`` and ``tunings`` have what is done with jobs of each kind, and
    ``checks`` what is asked of the checks of datasets; ``webhooks`` are URLs that are told what happens. The methods on searches below are the same in short. Every method raises ``ApiError`` when the server refuses and ``ServerUnreachable`` when it does not answer.

    Args:
        base_url: where the service is. Default: ``DNA_URL`` of the environment, else ``http://127.0.0.1:8000``.
        api_key: ``dna_...``; none is needed on the machine of an embedded service. Default: ``DNA_API_KEY`` of the environment.
        pauses: seconds before the second, third ... attempt of what may be repeated.
    """

    def __init__(
        self,
        base_url: str | None = None,
        api_key: str | None = None,
        *,
        pauses: tuple[float, ...] = PAUSES,
        printable: bool = False,
    ) -> None:
        found = base_url or os.environ.get("DNA_URL") or "http://127.0.0.1:8000"
        self._transport = Transport(found, api_key or os.environ.get("DNA_API_KEY"), pauses=pauses, printable=printable)
        self.searches = Searches(self._transport)
        self.trainings = Trainings(self._transport)
        self.tunings = Tunings(self._transport)
        self.checks = Checks(self._transport)
        self.webhooks = Webhooks(self._transport)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        self._transport.close()

    def me(self) -> MyKey:
        """Who calls: the key, its project, what it may do and use, and what it uses just now."""
        return cast(MyKey, self._transport.call("GET", "/keys/me"))

    # Searches

    def create_search(self, spec: Mapping[str, Any], *, idempotency_key: str | None = None) -> Search:
        """Creates a search once, however often the request has to be sent.

        Args:
            spec: as ``POST /searches`` takes it; only ``dataset`` is required.
            idempotency_key: to repeat the call from another process; by default a new one.

        Raises:
            InfeasibleBudget: no network of the space fits; says what would.
            InvalidRequest: fields that are wrong.
        """
        return self.searches.create(spec, idempotency_key=idempotency_key)

    def estimate_search(self, spec: Mapping[str, Any]) -> Estimate:
        """What a search would be and cost; nothing is stored."""
        return cast(Estimate, self._transport.call("POST", "/searches/estimate", json=spec))

    def list_searches(
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
    ) -> Page[SearchSummary]:
        """As ``client.searches.list``."""
        return self.searches.list(
            state=state,
            priority=priority,
            dataset=dataset,
            labels=labels,
            ref=ref,
            q=q,
            sort=sort,
            cursor=cursor,
            limit=limit,
        )

    def update_search(
        self,
        search_id: str,
        *,
        name: str | None = None,
        labels: Mapping[str, str | None] | None = None,
        priority: Priority | None = None,
    ) -> Search:
        """Renames a search or changes its labels or priority, see :meth:`dna_client.jobs.Jobs.update`."""
        return self.searches.update(search_id, name=name, labels=labels, priority=priority)

    def get_search(self, search_id: str) -> Search:
        return self.searches.get(search_id)

    def cancel_search(self, search_id: str) -> Search:
        """Asks a search to stop; it is ``cancelled`` within seconds and can be resumed."""
        return self.searches.cancel(search_id)

    def resume_search(self, search_id: str) -> Search:
        """Goes on with a failed or cancelled search from its checkpoints."""
        return self.searches.resume(search_id)

    def delete_search(self, search_id: str) -> None:
        """Deletes a finished search with its networks and files."""
        self.searches.delete(search_id)

    def events(self, search_id: str, *, after: int = 0, waits: bool = False) -> Iterator[Event]:
        """The events of a search, see :meth:`dna_client.jobs.Jobs.events`."""
        return self.searches.events(search_id, after=after, waits=waits)

    def wait(self, search_id: str) -> Search:
        """The search, once it has succeeded.

        Raises:
            JobNotSucceeded: it failed or was cancelled; says why.
        """
        return self.searches.wait(search_id)

    def metrics(self, search_id: str, *, prefix: str = "", points: int = 1000) -> Series:
        """The series of a search, see :meth:`dna_client.jobs.Jobs.metrics`."""
        return self.searches.metrics(search_id, prefix=prefix, points=points)

    def ratings(
        self, search_id: str, *, block: int | None = None, cell: int | None = None, limit: int = 1000
    ) -> Iterator[Rating]:
        """Every candidate's rating, or those of one block or cell; ``limit`` of them in each request."""
        params = {"block": block, "cell": cell, "limit": limit}
        return cast(Iterator[Rating], self._transport.pages(f"/searches/{search_id}/ratings", params))

    def frontier(self, search_id: str, *, cost: str = "flops") -> Frontier:
        """The exact frontier of predicted loss over ``flops`` or ``params``."""
        return cast(Frontier, self._transport.call("GET", f"/searches/{search_id}/frontier", params={"cost": cost}))

    def select(
        self,
        search_id: str,
        budget: Mapping[str, float | None],
        *,
        top_k: int = 1,
        min_distance: int = 1,
        name: str | None = None,
    ) -> Selection:
        """The best networks under a new budget, from finished ratings, without any device.

        Args:
            min_distance: layers in which each network differs at least from those before it.
            name: what to call it; of several the others have their number behind it.
        """
        body = {"budget": dict(budget), "top_k": top_k, "min_distance": min_distance}
        body |= {} if name is None else {"name": name}
        return cast(Selection, self._transport.call("POST", f"/searches/{search_id}/select", json=body))

    def picture(self, search_id: str, picture: Picture, target: Path) -> Downloaded:
        """Writes a picture of a finished search, an SVG, to ``target``, or under the server's name into a folder.

        Raises:
            CorruptDownload, LocalError: as for :meth:`download`.
        """
        return download(self._transport, f"/searches/{search_id}/pictures/{picture}", {}, target)

    # Networks

    def create_architecture(
        self, architecture: str | Mapping[str, Any], name: str | None = None, *, idempotency_key: str | None = None
    ) -> Architecture:
        """Keeps a network from elsewhere, to be trained; the same one again is the one that there is.

        Args:
            architecture: the name of a published one, such as ``dna-b``, or the JSON of a network as it is downloaded.
            name: what to call it; a published one has its own name.

        Raises:
            InvalidRequest: it is no such name, or no network that can be built; says why.
        """
        body = {"architecture": architecture} | ({"name": name} if name else {})
        headers = {"Idempotency-Key": idempotency_key or str(uuid.uuid4())}
        return cast(Architecture, self._transport.call("POST", "/architectures", json=body, headers=headers))

    def list_architectures(
        self,
        *,
        search: str | None = None,
        dataset: str | None = None,
        role: str | None = None,
        ref: str | None = None,
        flops: Span = (None, None),
        params: Span = (None, None),
        accuracy: Span = (None, None),
        sort: str | None = None,
        cursor: str | None = None,
        limit: int = 50,
    ) -> Page[ArchitectureSummary]:
        """A page of networks, newest first.

        Args:
            search, role: only those of the search with that id, of that role.
            dataset: only those found or trained on it.
            ref: only those with that name, or whose ids begin or end so.
            flops, params, accuracy: only those from the first to the second, None for no limit.
            sort: created_at, flops, params, loss or accuracy; with - in front the largest first.
        """
        which: dict[str, Any] = {"search": search, "dataset": dataset, "role": role, "ref": ref, "sort": sort}
        for of, (least, most) in (("flops", flops), ("params", params), ("accuracy", accuracy)):
            which |= {f"{of}_min": least, f"{of}_max": most}
        asked = {**which, "cursor": cursor, "limit": limit}
        return cast(Page[ArchitectureSummary], self._transport.call("GET", "/architectures", params=asked))

    def get_architecture(self, architecture_id: str) -> Architecture:
        return cast(Architecture, self._transport.call("GET", f"/architectures/{architecture_id}"))

    def rename_architecture(self, architecture_id: str, name: str | None) -> Architecture:
        """Calls a network that was given so; None takes its name away."""
        return cast(
            Architecture, self._transport.call("PATCH", f"/architectures/{architecture_id}", json={"name": name})
        )

    def delete_architecture(self, architecture_id: str) -> None:
        """Deletes a network that was given; trainings of it keep what they have found."""
        self._transport.call("DELETE", f"/architectures/{architecture_id}", repeatable=False)

    def download(self, architecture_id: str, file_format: Format, target: Path) -> Downloaded:
        """Writes the network's file to ``target``, or under the server's name into it when it is a folder.

        Raises:
            CorruptDownload: what arrived has another SHA-256 than was announced.
            LocalError: ``target`` cannot be written.
        """
        path = f"/architectures/{architecture_id}/download"
        return download(self._transport, path, {"format": file_format}, target)

    def time_architecture(
        self, architecture_id: str, *, wait: bool = True, idempotency_key: str | None = None
    ) -> Timing:
        """How long the network takes whole, one picture at a time, on a worker's device.

        Args:
            wait: for the worker; otherwise the timing is queued, and ``timings`` has it later.

        Raises:
            JobNotSucceeded: it could not be timed; says why.
        """
        path = f"/architectures/{architecture_id}/latency"
        headers = {"Idempotency-Key": idempotency_key or str(uuid.uuid4())}
        made = cast(Timing, self._transport.call("POST", path, headers=headers))
        while wait and made["state"] not in FINISHED:
            time.sleep(_BETWEEN_LOOKS)
            made = next(one for one in self.timings(architecture_id) if one["id"] == made["id"])
        if error := made["error"]:
            raise JobNotSucceeded(f"The network was not timed: {error['message']}")
        return made

    def timings(self, architecture_id: str) -> Iterator[Timing]:
        """Its timings, newest first."""
        pages = self._transport.pages(f"/architectures/{architecture_id}/latency", {})
        return cast("Iterator[Timing]", pages)

    def predict(self, architecture_id: str, picture: Path, *, top_k: int = 5) -> Prediction:
        """What a trained network answers to a picture: its ``top_k`` likeliest classes, best first. ``trainings.predict`` asks one of its
        trainings.

        Raises:
            LocalError: the file cannot be read.
            NotFound, Conflict: there is no ONNX file of the network, or not yet; says why.
            InvalidRequest: the file is no picture; says why.
        """
        return predict(self._transport, f"/architectures/{architecture_id}", picture, top_k)

    def get_training(self, training_id: str) -> Training:
        return self.trainings.get(training_id)

    # What there is

    def create_dataset(
        self,
        archive: Path,
        name: str | None = None,
        *,
        layout: str | None = None,
        encoding: str | None = None,
        licence: str | None = None,
        wait: bool = True,
        told: Told = unheard,
        idempotency_key: str | None = None,
    ) -> Dataset:
        """Sends a zip or tar of class folders, or a folder of them, which is packed first; in pieces, so that a broken connection is
        taken up again. A name that there is gets a new version.

        Args:
            archive: the file or folder.
            name: what searches will call it; by default that of the file without its suffix.
            layout: ``classes``: the folders at the top are the classes, whatever they are called.
            encoding: of names in a zip that do not say theirs, such as ``cp932``.
            licence: what may be done with the images, such as ``CC BY 4.0``: the cards of networks say it.
            wait: until it is ready; else it may be ``checking``, see ``checks``.
            told: how many bytes of how many have arrived.
            idempotency_key: the same request under the same key is answered as the first; one that was cut off is gone on with.

        Raises:
            LocalError: there is no such file, or a dataset cannot be called so.
            InvalidRequest: the layout or the encoding is none; without a key nothing of what was sent stays.
            DatasetRejected: it cannot be used; says why.
        """
        check_name(name or archive.resolve().name)
        key = idempotency_key or str(uuid.uuid4())
        with packed(archive) as file:
            upload = send(self._transport, file, told, key=key)
        fields = {"upload": upload, "name": name, "layout": layout, "encoding": encoding, "licence": licence}
        try:
            return self._make_dataset(fields, key, wait=wait)
        except InvalidRequest:
            if idempotency_key is None:  # Who knows the key may go on with what was sent.
                withdraw(self._transport, upload)
            raise

    def use_server_folder(
        self,
        folder: str,
        name: str,
        *,
        layout: str | None = None,
        licence: str | None = None,
        wait: bool = True,
        idempotency_key: str | None = None,
    ) -> Dataset:
        """Makes a dataset of a folder that lies on the server and its workers already; nothing is sent.

        Args:
            folder: its absolute path there, below one that the operator allows (``DNA_DATASET_FOLDERS``).
            name: what searches will call it.
            layout, licence, wait: as for :meth:`create_dataset`.

        Raises:
            InvalidRequest: the folder is not allowed.
            DatasetRejected: it cannot be used; says why.
        """
        fields = {"folder": folder, "name": name, "layout": layout, "licence": licence}
        return self._make_dataset(fields, idempotency_key, wait=wait)

    def use_url(
        self,
        url: str,
        name: str | None = None,
        *,
        licence: str | None = None,
        wait: bool = True,
        idempotency_key: str | None = None,
    ) -> Dataset:
        """Makes a dataset of images that lie elsewhere; nothing is sent.

        Args:
            url: of WebDataset or Parquet shards, such as ``s3://bucket/birds/``, or a name of timm's, such as ``torch/cifar10``; one that
                the operator allows (``DNA_DATASET_URLS``).
            name: what searches will call it; by default the last part of the URL.
            licence, wait: as for :meth:`create_dataset`.

        Raises:
            InvalidRequest: the URL is not allowed.
            DatasetRejected: it cannot be used; says why.
        """
        return self._make_dataset({"url": url, "name": name, "licence": licence}, idempotency_key, wait=wait)

    def _make_dataset(self, fields: Mapping[str, str | None], key: str | None, *, wait: bool) -> Dataset:
        headers = {"Idempotency-Key": key or str(uuid.uuid4())}
        said = {field: value for field, value in fields.items() if value}
        made = cast(Dataset, self._transport.send_form("/datasets", said, None, headers))
        return self.checks.wait(made["id"]) if wait else made

    def delete_dataset(self, name_or_id: str) -> None:
        """Deletes a dataset; searches that have succeeded on it keep all they found."""
        self._transport.call("DELETE", f"/datasets/{name_or_id}", repeatable=False)

    def list_datasets(self, *, ref: str | None = None, cursor: str | None = None, limit: int = 50) -> Page[Dataset]:
        """A page of datasets, newest first; with ``ref`` those that a name or an end of an id may mean."""
        params = {"ref": ref, "cursor": cursor, "limit": limit}
        return cast(Page[Dataset], self._transport.call("GET", "/datasets", params=params))

    def datasets(self) -> Iterator[Dataset]:
        return cast(Iterator[Dataset], self._transport.pages("/datasets", {}))

    def get_dataset(self, name_or_id: str) -> Dataset:
        return cast(Dataset, self._transport.call("GET", f"/datasets/{name_or_id}"))

    def teachers(self, query: str = "") -> Iterator[Teacher]:
        """Usable teachers whose names contain ``query``."""
        return cast(Iterator[Teacher], self._transport.pages("/teachers", {"q": query or None}))

    def recipes(self) -> list[Recipe]:
        """The recipes that a training can name: what each does, and when it is taken where none is named."""
        return list(self._transport.pages("/recipes", {}))

    def spaces(self, input_size: int = 224, num_classes: int = 1000) -> list[Space]:
        """Spaces that have names, with what their networks cost on images of that size."""
        asked = {"input_size": input_size, "num_classes": num_classes}
        return list(self._transport.pages("/spaces", asked))

    def create_teacher(
        self,
        weights: Path,
        model: str,
        name: str | None = None,
        *,
        mean: Sequence[float] | None = None,
        std: Sequence[float] | None = None,
        idempotency_key: str | None = None,
    ) -> Teacher:
        """Sends weights of a timm model, for searches to begin with (``teacher.from``).

        Args:
            weights: a safetensors file.
            model: that they are of, such as ``resnet50``.
            name: what searches will call it; by default that of the file without its suffix.
            mean, std: normalisation of the images that they are for, per channel; by default that of timm's weights.

        Raises:
            LocalError: there is no such file.
            InvalidRequest: the file does not hold weights of that model; says which tensors are wrong.
        """
        fields = {"model": model} | ({"name": name} if name else {})
        fields |= {key: ",".join(map(str, value)) for key, value in (("mean", mean), ("std", std)) if value}
        headers = {"Idempotency-Key": idempotency_key or str(uuid.uuid4())}
        try:
            with weights.open("rb") as file:
                return cast(Teacher, self._transport.send_form("/teachers", fields, file, headers))
        except OSError as error:
            raise LocalError(f"{weights} cannot be read: {error.strerror}.") from error

    def get_teacher(self, name_or_id: str) -> Teacher:
        return cast(Teacher, self._transport.call("GET", f"/teachers/{name_or_id}"))

    def delete_teacher(self, name_or_id: str) -> None:
        """Deletes weights that were sent; searches that have begun with them keep them."""
        self._transport.call("DELETE", f"/teachers/{name_or_id}", repeatable=False)

    def workers(self) -> list[Worker]:
        """Workers that are live, with their devices and what they run."""
        return cast(list[Worker], list(self._transport.pages("/workers", {})))

    def openapi(self) -> dict[str, Any]:
        """The service's own description, as OpenAPI."""
        return cast(dict[str, Any], self._transport.call("GET", "/openapi.json"))
