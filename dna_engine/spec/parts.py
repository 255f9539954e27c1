"""What the specs of all kinds of job are made of: numbers, the recipe of a training, and what every resolved spec says. Torch-free."""

from __future__ import annotations

import re
from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from typing import Annotated, Any, ClassVar, Literal

from pydantic import AfterValidator, BeforeValidator, ConfigDict, Field

from dna_engine import defaults
from dna_engine.errors import InvalidSpec
from dna_engine.fields import Written
from dna_engine.images.info import DatasetInfo
from dna_engine.images.pictures.pixels import Fit, Look
from dna_engine.space import CellRef, Space

Text = Annotated[str, Field(max_length=200)]


def _whole(value: Any) -> Any:
    """Many write 350e6 or 20.0: in JSON these are whole numbers too."""
    return int(value) if isinstance(value, float) and value.is_integer() else value


Whole = Annotated[int, BeforeValidator(_whole)]


def _colour(value: str) -> str:
    """As Pillow reads it, in the few ways that leave no doubt."""
    if not re.fullmatch(r"#[0-9a-fA-F]{6}|white|black|grey", value):
        raise ValueError("Write a colour as #rrggbb, such as #808080, or as white, black or grey")
    return value


Colour = Annotated[str, AfterValidator(_colour)]


class Part(Written):
    """Numbers are numbers here, and true is none: a text that looks like one is a mistake that would go unnoticed."""

    model_config = ConfigDict(frozen=True, allow_inf_nan=False, strict=True, serialize_by_alias=True)


Sampling = Literal["uniform", "by_class"]


#: GPUs of the largest machines that are common.
MAX_DEVICES = 16


class AnswersSpec(Part):
    """The teacher's answers beside the labels: the loss is (1 - weight) CE + weight T² KL(teacher || network), the answers of both
    softened by the temperature T (Hinton, Vinyals and Dean 2015).
    """

    weight: float = Field(
        default=0.5, ge=0, le=1, description="Of the answers; the labels have the rest. 0: labels alone."
    )
    temperature: float = Field(default=4.0, gt=0, le=100, description="What the logits of both are divided by.")


class RecipeSpec(Part):
    """How a network is trained."""

    start: defaults.Start | None = Field(
        default=None,
        description="What the weights are before. scratch: drawn at random. inherited: those of the network's distilled blocks, whose "
        "adaptors fold into the convolutions behind them; its head is new, or the teacher's where that can be. Default: scratch.",
    )
    distill: AnswersSpec | None = Field(
        default=None,
        description="Learn from the answers of the search's teacher too, whose classes must be the dataset's. Default: from labels alone.",
    )
    epochs: Whole | None = Field(default=None, ge=1, le=10_000, description="Default: 25 or 30, more for few images.")
    batch_size: Whole | None = Field(
        default=None, ge=2, le=65_536, description="Default: 64, down to 16 for fewer than 1,024 images."
    )
    recipe: Literal["adamw", "paper"] = Field(
        default="adamw",
        description="adamw: warm-up, then one cosine. paper: RMSprop, dropout and averaged weights as published, its "
        "learning rate scaled to the batch; it has its own numbers, and others in the three fields below are refused.",
    )
    learning_rate: float | None = Field(
        default=None,
        gt=0,
        le=10,
        description="AdamW's peak. Default: 0.003 for batches of 64, in proportion to the square root of the batch.",
    )
    weight_decay: float = Field(default=0.05, ge=0, le=1)
    label_smoothing: float = Field(default=0.1, ge=0, lt=1)
    sampling: Sampling = Field(
        default="uniform",
        description="uniform: every image once an epoch. by_class: as many images an epoch, of every class as many, for classes of "
        "unequal sizes: those of small classes come several times, some of large ones not at all.",
    )
    devices: Whole = Field(
        default=1,
        ge=1,
        le=MAX_DEVICES,
        description="GPUs of one machine that train together, each on its share of every batch, which stays as large as it is. A worker "
        "must offer as many: `dna worker --devices-per-step`.",
    )


class ResolvedRecipe(RecipeSpec):
    """A recipe with nothing left open."""

    start: defaults.Start = "scratch"
    """Left open in specs of versions that knew no other."""
    epochs: Whole
    batch_size: Whole
    learning_rate: float


#: Numbers that the paper's recipe has of its own.
_PAPERS = {"weight_decay": 1e-5, "label_smoothing": 0.1}


def left_open(spec: RecipeSpec, images: int, *, at: str = "") -> dict[str, Any]:
    """What a recipe leaves open, for so many training images.

    Args:
        at: where the recipe stands in the spec, such as ``retrain.``.

    Raises:
        InvalidSpec: a number is given for a recipe that has its own.
    """
    batch_size = spec.batch_size or defaults.batch_size(images)
    _check_devices(spec.devices, min(batch_size, images), at)
    found = {"epochs": spec.epochs or defaults.epochs(images).retraining, "batch_size": batch_size}
    if spec.recipe != "paper":
        return found | {"learning_rate": spec.learning_rate or defaults.learning_rate(batch_size)}
    papers = _PAPERS | {"learning_rate": defaults.paper_learning_rate(batch_size)}
    for name, value in papers.items():
        if name in spec.model_fields_set and getattr(spec, name) not in (None, value):
            raise InvalidSpec(
                f"The recipe paper has its own {name}, {value:g}; leave it out, or take the recipe adamw.",
                param=f"{at}{name}",
            )
    return found | papers


def _check_devices(devices: int, batch: int, at: str) -> None:
    """Of fewer than two images no norm knows how they differ."""
    if devices > 1 and batch < 2 * devices:
        raise InvalidSpec(
            f"A batch is shared by the devices, at least 2 images to each: of batches of {batch} take at most {max(1, batch // 2)} "
            "devices, or take larger batches.",
            param=f"{at}devices",
        )


def learned_from(answers: AnswersSpec | None) -> AnswersSpec | None:
    """Nothing where they have no weight."""
    return answers if answers is not None and answers.weight else None


def start_of(recipe: RecipeSpec, width: str, *, otherwise: defaults.Start = "scratch", at: str = "") -> defaults.Start:
    """How a network of a search begins: as its recipe says, as far as its cells have something to inherit.

    Args:
        width: of the distilled cells.
        otherwise: where the recipe leaves it open.
        at: where the recipe stands in the spec, such as ``retrain.``.

    Raises:
        InvalidSpec: it is to inherit, and they have nothing.
    """
    if width != "teacher":
        return recipe.start or otherwise
    if recipe.start == "inherited":
        raise InvalidSpec(
            "Cells that are widened to the teacher's width are not built, so nothing can be inherited from them: take a search with "
            f"training.width adaptors, or {at}start scratch.",
            param=f"{at}start",
        )
    return "scratch"


class JobSpec(Part):
    """What any kind of job may be asked for. Only ``dataset`` is required."""

    name: Text = ""
    dataset: Text
    augment: bool = Field(
        default=True, description="Random shifts or crops of training images, and flips where `flip` allows them."
    )
    flip: bool | None = Field(
        default=None,
        description="Whether left and right may be exchanged in training images: false for text, arrows and hands. Default: true, but "
        "for sets of digits and letters.",
    )
    resize: Fit | None = Field(
        default=None,
        description="How a picture that is no square becomes one. crop: the largest square in its middle; pad: the whole, with "
        "`background` beside it; squash: the whole, its sides made equal. Default: crop; where most pictures are twice as long as wide "
        "or longer, squash if all are of one shape, else pad.",
    )
    background: Colour = Field(
        default="white",
        description="Below what is transparent, and beside what is padded: #rrggbb, white, black or grey.",
    )
    seed: Whole = Field(default=0, ge=0, le=2**31 - 1)
    labels: dict[Annotated[str, Field(max_length=64)], Annotated[str, Field(max_length=256)]] = Field(
        default_factory=dict, max_length=32
    )


class ResolvedJob(Part, ABC):
    """What the resolved spec of any kind of job says."""

    name: str
    seed: Whole
    labels: dict[str, str]

    @property
    @abstractmethod
    def dataset_name(self) -> str:
        """Of the images that it is about."""


class ResolvedNetworks(ResolvedJob):
    """That of a job which trains networks: all that training one and exporting it asks for."""

    dataset: DatasetInfo
    input_size: Whole
    augment: bool
    flip: bool = Field(default_factory=lambda known: defaults.flip(known["dataset"]))
    """Left open in specs of versions that did not keep it."""
    resize: Fit = "crop"
    background: Colour = "white"
    """Versions that kept neither did so."""

    #: Field of the spec as written with the learning rate of its networks: what to change where a training diverges.
    rate_field: ClassVar[str]

    @property
    def dataset_name(self) -> str:
        return self.dataset.name

    @property
    def look(self) -> Look:
        """How its pictures become squares of red, green and blue."""
        return Look(fit=self.resize, background=self.background, white=self.dataset.white)

    @property
    def held_out(self) -> int:
        """Training images that no network is trained on, because something is decided by them."""
        return 0

    @property
    @abstractmethod
    def networks(self) -> tuple[str, ...]:
        """The networks that are trained, each by its folder in the run folder."""

    @property
    def given(self) -> Mapping[str, Mapping[str, Any]]:
        """Those of them that the spec itself describes, as ``architecture.json`` does; others are chosen by a step."""
        return {}

    @property
    def inherited_from(self) -> Sequence[CellRef]:
        """The distilled cells whose weights its networks may start from."""
        return ()

    @property
    @abstractmethod
    def head_from_teacher(self) -> bool:
        """Whether those networks may take their head from the teacher's."""

    @property
    @abstractmethod
    def parsed_space(self) -> Space:
        """The space in which those cells lie."""

    @property
    @abstractmethod
    def recipe_of_networks(self) -> ResolvedRecipe:
        """What they are trained by."""
