"""The checks of datasets: how far they are, and what they have found."""

from __future__ import annotations

from collections.abc import Iterator
from typing import cast

from dna_client import events
from dna_client.errors import DatasetRejected
from dna_client.models import ClassCount, Dataset, Event, Report, Sample
from dna_client.transport import Transport

#: States in which a dataset stays.
CHECKED = frozenset({"ready", "rejected"})


class Checks:
    """By the name or the id of the dataset. Raises as :class:`dna_client.Client` does."""

    def __init__(self, transport: Transport) -> None:
        self._transport = transport

    def events(self, dataset: str, *, after: int = 0, waits: bool = False) -> Iterator[Event]:
        """Events that follow number ``after`` as they happen, until the check has ended; as those of jobs."""
        return events.follow(self._transport, f"/datasets/{dataset}", after, waits=waits, over=CHECKED)

    def wait(self, dataset: str) -> Dataset:
        """The dataset, once it is ready.

        Raises:
            DatasetRejected: it cannot be used; says why.
        """
        for _ in self.events(dataset):
            pass
        return accepted(cast(Dataset, self._transport.call("GET", f"/datasets/{dataset}")))

    def report(self, dataset: str) -> Report:
        """What the check has found: of a rejected dataset too."""
        return cast(Report, self._transport.call("GET", f"/datasets/{dataset}/report"))

    def classes(self, dataset: str) -> Iterator[ClassCount]:
        """Every class, with how many images each split has of it."""
        return cast(Iterator[ClassCount], self._transport.pages(f"/datasets/{dataset}/classes", {}))

    def samples(self, dataset: str, class_name: str) -> list[Sample]:
        """A few pictures of a class; each is a JPEG at its ``url``."""
        answer = self._transport.call("GET", f"/datasets/{dataset}/samples", params={"class": class_name})
        return cast(list[Sample], answer["items"])


def accepted(dataset: Dataset) -> Dataset:
    """The dataset itself.

    Raises:
        DatasetRejected: it cannot be used; says why.
    """
    if dataset["state"] != "rejected":
        return dataset
    called = f"{dataset['name']}@{dataset['version']}"
    why = dataset["error"]["message"] if dataset["error"] else "its report says why."
    raise DatasetRejected(f"The dataset {called} is rejected: {why}\nAll that was found: dna dataset report {called}")
