"""What a dataset is to the engine before any image is read. Torch-free; ``training/batches.py`` reads the images."""

from __future__ import annotations

from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

from dna_engine.errors import UnknownName
from dna_engine.images.pictures.prepare import WHITE

#: How a folder is understood: by what it looks like, or the folders at its top are the classes, whatever they are called.
Arrangement = Literal["auto", "classes"]


#: Where the images of a dataset come from.
Kind = Literal["builtin", "folder", "upload", "timm", "shards"]


class DatasetInfo(BaseModel):
    """Where the images are and what they look like.

    ``train`` images are split further by the engine where there are no ``val`` images: a part is held out for rating, never the
    test images.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: str = Field(description="What searches call it.")
    kind: Kind = Field(
        description="builtin: ships with the engine; folder: class folders, or train/, val/ and test/ with them; "
        "upload: such a folder as unpacked by a worker; timm: a name for timm.data.create_dataset, such as torch/cifar10; "
        "shards: WebDataset or Parquet files at a URL."
    )
    location: str = Field(
        description="Name of the built-in set, path of the folder, fingerprint of the upload or of the shards, or timm's dataset name."
    )
    version: int = Field(default=1, ge=1, description="Of the datasets of that name; a new upload is a new one.")
    fingerprint: str | None = Field(
        default=None,
        exclude_if=lambda fingerprint: fingerprint is None,
        description="Of a folder: names, sizes and times of its files when it became a dataset.",
    )
    num_classes: int = Field(ge=2, description="Classes of its images.")
    num_train: int = Field(ge=1, description="Images to train with.")
    num_val: int = Field(
        default=0,
        ge=0,
        exclude_if=lambda count: not count,
        description="Images given to decide by, beside those to test with. Without, some are held out of those to train with.",
    )
    num_test: int = Field(ge=1, description="Images to test with.")
    layout: Arrangement = Field(
        default="auto",
        exclude_if=lambda layout: layout == "auto",
        description="How a folder is understood: by what it looks like, or the folders at its top are the classes.",
    )
    image_size: int = Field(ge=1, description="Side in pixels of the images as stored (the median for mixed sizes).")
    class_names: list[str] = Field(
        default_factory=list, description="In the order of their numbers; none where they are not known."
    )
    left_out: list[str] = Field(
        default_factory=list,
        exclude_if=lambda sentences: not sentences,
        description="What lay beside the images and is not used, a sentence each.",
    )
    warnings: list[str] = Field(
        default_factory=list,
        exclude_if=lambda sentences: not sentences,
        description="What makes an accuracy on these images say little, a sentence each.",
    )
    aspect_ratios: tuple[float, float, float] | None = Field(
        default=None,
        exclude_if=lambda ratios: ratios is None,
        description="Width over height of the pictures: of a tenth at most, of half, and of all but a tenth. None where it was not looked.",
    )
    white: int = Field(
        default=WHITE,
        ge=1,
        exclude_if=lambda white: white == WHITE,
        description="What is white in pictures of 16 bits of grey.",
    )
    licence: str | None = Field(
        default=None,
        exclude_if=lambda licence: licence is None,
        description="What may be done with the images, as whoever sent them has said.",
    )
    one_way: bool = Field(
        default=False,
        exclude_if=lambda one_way: not one_way,
        description="Mirrored pictures of one class look like those of another, so that none are mirrored unless it is asked for.",
    )


#: Handwritten digits of scikit-learn (1,797 images of 8x8, UCI), split 80/20 by class with a fixed seed.
DIGITS = DatasetInfo(
    name="digits",
    kind="builtin",
    location="digits",
    num_classes=10,
    num_train=1437,
    num_test=360,
    image_size=8,
    class_names=[str(digit) for digit in range(10)],
)

BUILTIN: dict[str, DatasetInfo] = {DIGITS.name: DIGITS}


def builtin(name: str) -> DatasetInfo:
    """A data set that ships with the engine.

    Raises:
        UnknownName: there is none of that name.
    """
    if name not in BUILTIN:
        raise UnknownName("dataset", name, BUILTIN, param="dataset")
    return BUILTIN[name]
