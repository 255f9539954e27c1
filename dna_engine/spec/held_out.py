"""How many images a job decides by: held out from training, or of those that were given for that. Torch-free."""

from __future__ import annotations

from dna_engine.errors import InvalidSpec
from dna_engine.images.info import DatasetInfo


def held_out(asked: int | None, dataset: DatasetInfo, *, share: int, most: int, to: str, at: str) -> int:
    """So many as are asked for, or else one of ``share``, and ``most`` at most. Never so many that a class would be left without an
    image to train with.

    Args:
        to: what they are for, such as ``rate by``.
        at: where their number stands in the spec.

    Raises:
        InvalidSpec: there are too few images.
    """
    if dataset.num_val:
        return _of_val(asked, dataset, most, to, at)
    images = asked or min(max(dataset.num_train // share, 2), most)
    largest = dataset.num_train - dataset.num_classes
    if images > largest:
        advice = f"Hold out at most {largest:,}" if asked and largest >= 2 else "Add images"
        raise InvalidSpec(
            f"{dataset.name} has {dataset.num_train:,} images to train with, of {dataset.num_classes:,} classes: {images:,} "
            f"are to be held out to {to}, and one of every class is to be left. {advice}.",
            param=at if asked else "dataset",
        )
    return images


def _of_val(asked: int | None, dataset: DatasetInfo, most: int, to: str, at: str) -> int:
    """Of the images that are given to decide by."""
    images = asked or min(max(dataset.num_val, 2), most)
    if images > dataset.num_val:
        raise InvalidSpec(
            f"{dataset.name} has {dataset.num_val:,} validation images, and {images:,} are asked for to {to}. Take at most those, or "
            "add images.",
            param=at if asked else "dataset",
        )
    return images
