"""Images of shards to train with: the same batches wherever they lie, from any step on."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor

from dna_engine.errors import DataError
from dna_engine.images.info import DatasetInfo
from dna_engine.images.survey import survey
from dna_engine.training import splits
from dna_engine.training.splits import splits_of
from tests.dna_engine.images.shards.made import tar, web_dataset
from tests.dna_engine.training.sets import CPU


@pytest.fixture(autouse=True)
def _streamed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DNA_DATASETS", str(tmp_path / "kept"))
    monkeypatch.setattr(splits, "IN_MEMORY", 0)


def batches(dataset: DatasetInfo, start: int = 0) -> list[tuple[Tensor, Tensor]]:
    opened = splits_of(dataset, input_size=8, rating_images=2, seed=3, augment=True, device=CPU)
    return list(opened.train.batches(3, epochs=2, seed=1, start=start))


def test_the_order_is_that_of_seed_and_step_wherever_they_lie(s3: Any, tmp_path: Path) -> None:
    local = tar(tmp_path / "here/birds.tar", web_dataset())
    s3.put(str(local), "sets/birds.tar")
    here, there = batches(survey(local.as_uri())), batches(survey("s3://sets/birds.tar"))
    assert len(here) == len(there) == 4
    rest = batches(survey("s3://sets/birds.tar"), start=3)
    for (images, labels), (same, too) in zip([*here, here[3]], [*there, *rest], strict=True):
        assert torch.equal(images, same)
        assert torch.equal(labels, too)


def test_what_cannot_be_read_there_is_named(s3: Any, tmp_path: Path) -> None:
    files = {
        name: content[:41] + b"\xff" * 6 + content[47:] if name.endswith(".png") else content
        for name, content in web_dataset().items()
    }
    s3.put(str(tar(tmp_path / "birds.tar", files)), "sets/birds.tar")
    dataset = survey("s3://sets/birds.tar")
    with pytest.raises(DataError, match=r"^birds\.tar/\d{5}\.png cannot be read as an image"):
        batches(dataset)
