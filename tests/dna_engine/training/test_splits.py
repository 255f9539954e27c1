"""Images held out by class, and read when they are asked for."""

from __future__ import annotations

import shutil
from collections import Counter
from pathlib import Path

import pytest
import torch

from dna_engine.errors import DataError
from dna_engine.images.albums import open_folder
from dna_engine.images.info import DIGITS, DatasetInfo
from dna_engine.training import batches
from dna_engine.training import splits as splits_module
from dna_engine.training.crops import canvas
from dna_engine.training.splits import by_class, splits_of
from tests.dna_engine.training.sets import CPU, digits, load_folder


class TestSplits:
    def test_digits_are_split_as_their_description_says(self) -> None:
        splits = digits()
        assert len(splits.train) + len(splits.rate) == DIGITS.num_train
        assert (len(splits.rate), len(splits.test)) == (143, DIGITS.num_test)
        assert set(splits.test.labels.tolist()) == set(range(DIGITS.num_classes))

    def test_only_what_is_asked_for_is_read(self, folder: DatasetInfo) -> None:
        """Photos take long to decode, and an export needs none of those that were trained on."""
        for file in (Path(folder.location) / "train").rglob("*.png"):
            file.write_bytes(b"not a picture any more")
        splits = load_folder(folder)
        assert len(splits.test) == folder.num_test
        with pytest.raises(DataError):
            assert splits.train

    @pytest.mark.parametrize("large", [False, True])
    def test_each_lies_in_its_place_whoever_has_read_it(
        self, folder: DatasetInfo, large: bool, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """Large pictures are read by as many threads as there are cores, small ones by one; each is given some at once."""
        monkeypatch.setattr(splits_module, "SMALL", 0 if large else 96)
        monkeypatch.setattr(splits_module, "available", lambda: 3)
        monkeypatch.setattr(splits_module, "TOGETHER", 7)
        held = splits_of(folder, input_size=16, rating_images=0, seed=0, augment=False, device=CPU).train
        album = open_folder(Path(folder.location)).train
        assert isinstance(held, batches.StoredImages)
        assert held.labels.tolist() == album.labels
        for place, picture in enumerate(held.canvases):
            assert torch.equal(picture, canvas(album.picture(place), 16))

    def test_every_class_keeps_its_share(self) -> None:
        labels = [0] * 100 + [1] * 50 + [2] * 10
        drawn, kept = by_class(labels, 32, seed=1)
        assert sorted(drawn + kept) == list(range(160))
        assert Counter(labels[index] for index in drawn) == {0: 20, 1: 10, 2: 2}

    @pytest.mark.parametrize("seed", range(5))
    def test_no_class_loses_its_last_image_while_others_have_more(self, seed: int) -> None:
        labels = [0] * 20 + [1, 1, 2]
        drawn, kept = by_class(labels, len(labels) - 3, seed)
        assert sorted(labels[index] for index in kept) == [0, 1, 2]
        assert len(drawn) == 20

    def test_every_rating_batch_holds_all_classes(self, folder: DatasetInfo) -> None:
        rate = splits_of(folder, input_size=16, rating_images=30, seed=0, augment=False, device=CPU).rate
        assert [Counter(labels.tolist()) for _, labels in rate.ordered(6)] == [Counter({0: 2, 1: 2, 2: 2})] * 5

    def test_another_seed_holds_out_others_of_the_training_images(self) -> None:
        def pictures(images: batches.Images) -> set[bytes]:
            return {image.numpy().tobytes() for batch, _ in images.ordered(64) for image in batch}

        first, second = digits(augment=False), digits(augment=False, seed=1)
        assert pictures(first.rate) != pictures(second.rate)
        assert pictures(first.test) == pictures(second.test)
        assert pictures(first.rate) <= pictures(second.rate) | pictures(second.train)

    def test_what_is_given_to_decide_by_is_held_out_and_nothing_else(self, folder: DatasetInfo) -> None:
        root = Path(folder.location)
        shutil.copytree(root / "test", root / "val")
        splits = splits_of(folder, input_size=16, rating_images=9, seed=0, augment=False, device=CPU)
        assert (len(splits.train), len(splits.test)) == (folder.num_train, folder.num_test)
        assert Counter(splits.rate.labels.tolist()) == {0: 3, 1: 3, 2: 3}
        (root / "val" / "cat" / "00.png").write_bytes(b"no picture any more")
        assert (
            len(splits_of(folder, input_size=16, rating_images=12, seed=0, augment=False, device=CPU).train)
            == folder.num_train
        )
        with pytest.raises(DataError, match=r"00\.png cannot be read"):
            splits_of(folder, input_size=16, rating_images=12, seed=0, augment=False, device=CPU).rate  # noqa: B018

    def test_too_many_held_out(self) -> None:
        with pytest.raises(DataError, match="1437 training images; 1436 of them cannot be held out"):
            splits_of(DIGITS, input_size=16, rating_images=1436, seed=0, augment=False, device=CPU)
