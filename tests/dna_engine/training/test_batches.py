"""Images: held out by class, the same stream however it is cut, and errors that say what to do."""

from __future__ import annotations

from collections import Counter
from functools import partial
from pathlib import Path

import pytest
import torch
from PIL import Image

from dna_engine.errors import DataError
from dna_engine.images.info import DIGITS, DatasetInfo
from dna_engine.images.pictures import pixels
from dna_engine.runtime.seeds import stream
from dna_engine.spec import SearchSpec, resolve
from dna_engine.training import splits
from dna_engine.training.batches import StoredImages, StreamedImages, normalize
from dna_engine.training.crops import resized_crops
from dna_engine.training.drawing import PLAIN, Drawing, drawn_by_class
from dna_engine.training.recipe import Recipe
from dna_engine.training.splits import load_splits, splits_of
from tests.dna_engine.training.sets import CPU, digits, load_folder

BY_CLASS = Drawing(sampling="by_class")
#: Changes images in every way.
EVERYTHING = Recipe(
    epochs=2, repeats=2, crop_area=0.3, randaugment=9.0, color_jitter=0.2, random_erasing=0.5
).drawing  # fmt: skip


class TestBatches:
    def test_the_stream_goes_on_from_any_step(self) -> None:
        train = digits().train
        whole = list(train.batches(100, epochs=3, seed=5))
        assert len(whole) == 3 * train.steps(100) == 36
        for start in (1, 12, 30):
            rest = list(train.batches(100, epochs=3, seed=5, start=start))
            assert len(rest) == 36 - start
            for (images, labels), (again, same) in zip(whole[start:], rest, strict=True):
                assert torch.equal(images, again)
                assert torch.equal(labels, same)

    def test_an_epoch_takes_each_image_once(self) -> None:
        images = StoredImages(
            torch.arange(50, dtype=torch.uint8).view(50, 1, 1, 1).expand(50, 3, 18, 18).contiguous(),
            torch.arange(50),
            16,
            augment=True,
            flip=True,
        )
        labels = [torch.cat([labels for _, labels in images.epoch(epoch, 10, seed=0)]) for epoch in (0, 1)]
        assert torch.equal(labels[0].sort().values, torch.arange(50))
        assert not torch.equal(labels[0], labels[1])

    def test_an_epoch_by_class_takes_of_every_class_as_many(self) -> None:
        labels = torch.tensor([0] * 40 + [1] * 8 + [2] * 2)
        images = StoredImages(torch.zeros(50, 3, 18, 18, dtype=torch.uint8), labels, 16, augment=True, flip=True)
        drawn = [torch.cat([found for _, found in images.epoch(0, 10, seed=seed, drawing=BY_CLASS)]) for seed in (0, 1)]
        for found in drawn:
            assert all(16 <= count <= 17 for count in Counter(found.tolist()).values())
        assert not torch.equal(*drawn)
        whole = list(images.batches(10, epochs=2, seed=0, drawing=BY_CLASS))
        rest = list(images.batches(10, epochs=2, seed=0, start=7, drawing=BY_CLASS))
        assert [found.tolist() for _, found in whole[7:]] == [found.tolist() for _, found in rest]

    def test_no_image_of_a_class_comes_again_before_all_others_have(self) -> None:
        drawn = drawn_by_class([0] * 90 + [1] * 7 + [2] * 3, stream(0))
        assert len(drawn) == 100
        first = [place for place in drawn if place >= 97]
        assert all(set(first[turn : turn + 3]) == {97, 98, 99} for turn in range(0, len(first) - 2, 3))
        seen = Counter(place for place in drawn if place < 90)
        assert max(seen.values()) == 1

    def test_augmentation_is_a_crop_of_the_canvas_or_its_mirror(self) -> None:
        canvases = torch.randint(256, (8, 3, 20, 20), dtype=torch.uint8)
        images = StoredImages(canvases, torch.arange(8), 16, augment=True, flip=True)
        seen = set()
        for epoch in range(20):
            batch, labels = next(images.epoch(epoch, 8, seed=0))
            for image, label in zip(batch, labels.tolist(), strict=True):
                crops = {
                    (top, left, mirrored): normalize(crop.flip(-1) if mirrored else crop)
                    for top in range(5)
                    for left in range(5)
                    for mirrored in (False, True)
                    for crop in [canvases[label, :, top : top + 16, left : left + 16]]
                }
                (found,) = [key for key, crop in crops.items() if torch.equal(crop, image)]
                seen.add(found)
        assert {top for top, _, _ in seen} == {left for _, left, _ in seen} == set(range(5))
        assert {mirrored for _, _, mirrored in seen} == {False, True}

    def test_each_copy_of_an_image_in_a_batch_is_another(self) -> None:
        canvases = torch.randint(256, (12, 3, 20, 20), dtype=torch.uint8)
        images = StoredImages(canvases, torch.arange(12), 16, augment=True, flip=True)
        batches = list(images.epoch(0, 4, seed=0, drawing=Drawing(repeats=2, crop_area=0.5)))
        assert [Counter(labels.tolist()).most_common(1)[0][1] for _, labels in batches] == [2, 2, 2]
        assert all(len(batch.flatten(1).unique(dim=0)) == 4 for batch, _ in batches)

    def test_a_crop_shows_a_part_of_the_image_in_its_place(self) -> None:
        ramp = (torch.arange(20.0) * 10).to(torch.uint8).expand(64, 3, 20, 20).contiguous()
        crops = resized_crops(ramp, 16, stream(0), least=0.25, flip=False)[:, 0, 0].float()
        assert (crops.diff(dim=1) >= 0).all(), "from left to right as in the image"
        shown = (crops[:, -1] - crops[:, 0]) / 10 / 15
        assert 0.4 < shown.min() < 0.6
        assert shown.max() == pytest.approx(1, abs=0.05)
        assert crops.min() >= 15
        assert crops.max() <= 175, "without its margin, but for half a pixel"
        mirrored = resized_crops(ramp, 16, stream(0), least=0.25, flip=True)[:, 0, 0].float()
        ways = {bool((row.diff() > 0).any()) for row in mirrored}
        assert ways == {True, False}

    def test_digits_are_never_mirrored(self) -> None:
        train = load_splits(resolve(SearchSpec(dataset="digits"), DIGITS), CPU).train
        assert isinstance(train, StoredImages)
        assert train.augment
        assert not train.flip

    def test_without_augmentation_training_sees_what_rating_sees(self) -> None:
        train = digits(augment=False).train
        in_order = dict(enumerate(next(train.ordered(len(train)))[0]))
        batch, _ = next(train.epoch(0, 4, seed=0))
        assert all(any(torch.equal(image, other) for other in in_order.values()) for image in batch)

    def test_normalisation(self) -> None:
        grey = torch.full((1, 3, 2, 2), 51, dtype=torch.uint8)
        expected = (0.2 - torch.tensor(pixels.MEAN)) / torch.tensor(pixels.STD)
        torch.testing.assert_close(normalize(grey)[0, :, 0, 0], expected)

    def test_small_sets_come_in_one_batch(self) -> None:
        images = digits().rate
        assert [len(labels) for _, labels in images.epoch(0, 1000, seed=0)] == [143]
        assert [len(labels) for _, labels in images.ordered(64)] == [64, 64, 15]


class TestFolders:
    def test_class_folders(self, folder: DatasetInfo) -> None:
        splits = load_folder(folder, augment=False)
        assert (len(splits.train), len(splits.rate), len(splits.test)) == (45, 15, 12)
        assert Counter(splits.rate.labels.tolist()) == {0: 5, 1: 5, 2: 5}
        images, labels = next(splits.test.ordered(100))
        assert images.shape == (12, 3, 16, 16)
        coloured = images.mean((2, 3)) * torch.tensor(pixels.STD) + torch.tensor(pixels.MEAN)
        is_coloured = coloured.std(1) > 0.05
        assert is_coloured.sum() == 9, "one picture of each class is grey"
        assert torch.equal(coloured.argmax(1)[is_coloured], labels[is_coloured])

    @pytest.mark.parametrize("size", [16, 80])
    def test_decoding_processes_give_what_memory_gives(
        self, folder: DatasetInfo, monkeypatch: pytest.MonkeyPatch, size: int
    ) -> None:
        read = partial(splits_of, folder, input_size=size, rating_images=15, seed=0, augment=False, device=CPU)
        stored = read()
        monkeypatch.setattr(splits, "IN_MEMORY", 0)
        streamed = read()
        assert isinstance(streamed.train, StreamedImages)
        for mine, other in ((stored.train, streamed.train), (stored.test, streamed.test)):
            for (images, labels), (again, same) in zip(mine.ordered(20), other.ordered(20), strict=True):
                torch.testing.assert_close(images, again)
                assert torch.equal(labels, same)
        batch, other_batch = next(stored.train.epoch(1, 20, seed=3)), next(streamed.train.epoch(1, 20, seed=3))
        assert torch.equal(batch[1], other_batch[1]), "the same order"

    @pytest.mark.parametrize("drawing", [PLAIN, EVERYTHING], ids=["plain", "everything"])
    @pytest.mark.parametrize("in_memory", [True, False])
    def test_random_changes_repeat(
        self, folder: DatasetInfo, monkeypatch: pytest.MonkeyPatch, drawing: Drawing, in_memory: bool
    ) -> None:
        if not in_memory:
            monkeypatch.setattr(splits, "IN_MEMORY", 0)
        train = load_folder(folder).train
        whole = [images for images, _ in train.batches(20, epochs=2, seed=0, drawing=drawing)]
        rest = [images for images, _ in train.batches(20, epochs=2, seed=0, start=1, drawing=drawing)]
        assert len(whole) == 4
        assert len(whole[0].flatten(1).unique(dim=0)) == 20, "a copy is cropped anew"
        assert all(torch.equal(a, b) for a, b in zip(whole[1:], rest, strict=True))
        assert not torch.equal(whole[0], whole[2])

    def test_val_stands_for_test(self, folder: DatasetInfo) -> None:
        root = Path(folder.location)
        (root / "test").rename(root / "val")
        assert len(load_folder(folder).test) == 12

    def test_large_images_keep_a_margin_of_their_own(self, folder: DatasetInfo) -> None:
        splits = splits_of(folder, input_size=112, rating_images=15, seed=0, augment=True, device=CPU)
        assert isinstance(splits.train, StoredImages)
        assert splits.train.canvases.shape[1:] == (3, 128, 128)
        assert next(splits.train.epoch(0, 4, seed=0))[0].shape == (4, 3, 112, 112)

    def test_timm_datasets(self, folder: DatasetInfo, monkeypatch: pytest.MonkeyPatch) -> None:
        root = Path(folder.location)
        (root / "test").rename(root / "validation")
        monkeypatch.setenv("DNA_DATASETS", folder.location)
        info = folder.model_copy(update={"kind": "timm", "location": "torch/image_folder"})
        splits = load_folder(info)
        assert (len(splits.train), len(splits.rate), len(splits.test)) == (45, 15, 12)


class TestWhatUsersCause:
    def test_missing_folder(self, folder: DatasetInfo) -> None:
        with pytest.raises(DataError, match=r"^nowhere is no folder. A dataset is"):
            load_folder(folder.model_copy(update={"location": "nowhere"}))

    def test_empty_class(self, folder: DatasetInfo) -> None:
        for path in (Path(folder.location) / "train" / "bee").iterdir():
            path.unlink()
        with pytest.raises(DataError, match=r"^The class folder train/bee/ has no images"):
            load_folder(folder)

    def test_class_that_is_only_tested(self, folder: DatasetInfo) -> None:
        (Path(folder.location) / "test" / "dog").mkdir()
        Image.new("RGB", (24, 24)).save(Path(folder.location) / "test" / "dog" / "1.png")
        with pytest.raises(DataError, match=r"^There is test/dog/ but no train/dog/"):
            load_folder(folder)

    @pytest.mark.parametrize("in_memory", [True, False])
    def test_unreadable_image(self, folder: DatasetInfo, monkeypatch: pytest.MonkeyPatch, in_memory: bool) -> None:
        (Path(folder.location) / "test" / "ant" / "00.png").write_bytes(b"not a picture")
        if not in_memory:
            monkeypatch.setattr(splits, "IN_MEMORY", 0)
        with pytest.raises(DataError, match=r"^\S*ant/00.png cannot be read as an image .* Remove or replace it.$"):
            list(load_folder(folder).test.ordered(4))

    def test_unknown_timm_dataset(self, folder: DatasetInfo, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("DNA_DATASETS", folder.location)
        with pytest.raises(DataError, match="timm cannot make the train images of 'torch/nothing'"):
            load_folder(folder.model_copy(update={"kind": "timm", "location": "torch/nothing"}))
