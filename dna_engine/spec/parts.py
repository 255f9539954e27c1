"""What the specs of all kinds of job are made of: numbers, the recipe of a training, and what every resolved spec says. Torch-free."""

from __future__ import annotations

import re
from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from enum import StrEnum
from typing import Annotated, Any, ClassVar

from pydantic import AfterValidator, BeforeValidator, Discriminator, Field, Tag, model_validator

from dna_engine import defaults, recipes
from dna_engine.errors import InvalidSpec
from dna_engine.images.info import DatasetInfo
from dna_engine.images.pictures.pixels import Fit, Look
from dna_engine.recipes import ALIASES, RECIPES, Sampling, Schedule
from dna_engine.space import CellRef, Space
from dna_engine.spec.numbers import NumbersSpec, numbers_of
from dna_engine.spec.part import Part as Part
from dna_engine.spec.part import Whole as Whole

Text = Annotated[str, Field(max_length=200)]


def not_blank(name: str) -> str:
    """Of a name: nothing at all is left to others to fill in, and spaces alone nobody sees."""
    if name and not name.strip():
        raise ValueError("a name of spaces alone cannot be read")
    return name


def _key(value: str) -> str:
    if not value:
        raise ValueError("A label needs a key: by none it could not be found")
    return value


LabelKey = Annotated[str, Field(max_length=64, json_schema_extra={"minLength": 1}), AfterValidator(_key)]
LabelValue = Annotated[str, Field(max_length=256)]


def _colour(value: str) -> str:
    """As Pillow reads it, in the few ways that leave no doubt."""
    if not re.fullmatch(r"#[0-9a-fA-F]{6}|white|black|grey", value):
        raise ValueError("Write a colour as #rrggbb, such as #808080, or as white, black or grey")
    return value


Colour = Annotated[str, AfterValidator(_colour)]


class Priority(StrEnum):
    """Which jobs go before others: all of a higher priority before all of a lower one."""

    LOW = "low"
    NORMAL = "normal"
    HIGH = "high"

    @property
    def rank(self) -> int:
        """0 for the lowest."""
        return list(Priority).index(self)


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


class StoppingSpec(Part):
    """An end before the last epoch, where images that were held out say that the network has been better before."""

    patience: Whole = Field(
        default=10, ge=1, le=10_000, description="Epochs without a lower log-loss after which a training ends."
    )
    images: Whole | None = Field(
        default=None,
        ge=2,
        le=1_000_000,
        description="Held out of the training images to stop by, or of the validation images where there are some; never test images. Default: a "
        "tenth, at most 2,048; in a search, its rating images.",
    )


def _recipe_name(value: Any) -> Any:
    return ALIASES.get(value, value) if isinstance(value, str) else value


RecipeName = Annotated[recipes.Name, BeforeValidator(_recipe_name)]

#: What stands before the id of a tuning, in the place of the name of a recipe: what that has found.
OF_TUNING = "tuning:"


def _named_by(value: Any) -> str:
    return "tuning" if isinstance(value, str) and value.startswith(OF_TUNING) else "name"


#: A row of the table of recipes, or the best that a tuning has found.
RecipeRef = Annotated[
    Annotated[RecipeName, Tag("name")] | Annotated[str, Field(pattern=f"^{OF_TUNING}.{{1,200}}$"), Tag("tuning")],
    Discriminator(_named_by),
]


class RecipeSpec(NumbersSpec):
    """How a network is trained: by a recipe, but for the numbers that are written beside its name."""

    distill: AnswersSpec | None = Field(
        default=None,
        description="Learn from the answers of the search's teacher too, whose classes must be the dataset's. Default: from labels alone.",
    )
    early_stopping: StoppingSpec | None = Field(
        default=None,
        description="End where images that were held out are no longer answered better, and keep the weights that answered them best; null: "
        "train for all epochs.",
    )
    epochs: Whole | None = Field(
        default=None,
        ge=1,
        le=10_000,
        description="Default: by recipe and number of images; 25 or 30 for quick and small, more for few images; for modern and paper 450 and "
        "500 on ImageNet, and fewer with the fourth root of the number of images.",
    )
    batch_size: Whole | None = Field(
        default=None, ge=2, le=65_536, description="Default: 64, down to 16 for fewer than 1,024 images."
    )
    recipe: RecipeRef | None = Field(
        default=None,
        description="A row of `GET /recipes`; every number of it may be written anew beside its name. quick: crops and flips, for few epochs. "
        "small: for a few thousand images. modern: as timm trains small EfficientNets, for many epochs. paper: as published. (adamw is an "
        "older name of quick.) tuning:ID (or its name) takes the best that a tuning has found. Default: by the number of images.",
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

    start: defaults.Began = Field(
        default="scratch",
        description="What the weights are before: drawn at random, of the network's distilled blocks, or of another training.",
    )
    """Left open in specs of versions that knew no other."""
    epochs: Whole
    batch_size: Whole
    recipe: RecipeName = "quick"
    learning_rate: float
    warmup_epochs: float
    optimizer: defaults.Optimizer
    schedule: Schedule
    weight_decay: float
    label_smoothing: float
    clip_grad: float
    ema_decay: float
    dropout: float
    drop_path: float
    sampling: Sampling
    repeats: Whole
    autoaugment: bool
    randaugment: float
    randaugment_layers: Whole
    color_jitter: float
    random_erasing: float
    mixup: float
    cutmix: float
    mix_probability: float

    @model_validator(mode="before")
    @classmethod
    def _of_earlier_versions(cls, value: Any) -> Any:
        """Those kept few of the numbers, and changed images by crops and flips alone."""
        if not isinstance(value, Mapping) or "epochs" not in value or "autoaugment" in value:
            return value
        numbers = vars(RECIPES[_recipe_name(value.get("recipe", "quick"))].numbers) | {"autoaugment": False}
        return numbers | {"warmup_epochs": _warmup(value["epochs"])} | dict(value)


def _warmup(epochs: float) -> float:
    return min(5.0, epochs / 10)


def left_open(spec: RecipeSpec, images: int, *, augment: bool = True, at: str = "") -> dict[str, Any]:
    """What a recipe leaves open, for so many training images; with it goes what it says.

    Args:
        augment: whether training images may be changed at all.
        at: where the recipe stands in the spec, such as ``retrain.``.

    Raises:
        InvalidSpec: numbers that cannot be together.
    """
    name = _row(spec.recipe, at) or recipes.default(images)
    batch_size, epochs = spec.batch_size or defaults.batch_size(images), spec.epochs or recipes.epochs(name, images)
    _check_devices(spec.devices, min(batch_size, images), at)
    numbers = numbers_of(spec, RECIPES[name].numbers, augment=augment, at=at)
    warmup = _warmup(epochs) if spec.warmup_epochs is None else spec.warmup_epochs
    if warmup > epochs:
        raise InvalidSpec(f"There are {epochs} epochs: warm up in fewer than those.", param=f"{at}warmup_epochs")
    if numbers["repeats"] > batch_size:
        raise InvalidSpec(f"A batch has {batch_size} images: repeat each at most so often.", param=f"{at}repeats")
    return numbers | {
        "recipe": name,
        "epochs": epochs,
        "batch_size": batch_size,
        "learning_rate": spec.learning_rate or defaults.learning_rate(batch_size, numbers["optimizer"]),
        "warmup_epochs": warmup,
    }


def _row(recipe: str | None, at: str) -> recipes.Name | None:
    """The row of the table of recipes that is named, if any is."""
    row = next((name for name in RECIPES if name == recipe), None)
    if recipe is not None and row is None:
        raise InvalidSpec(
            f"What {recipe} has found is known to its service alone, which takes it in a training and in the retrain of a search. Name a "
            f"row of the table here: {', '.join(RECIPES)}.",
            param=f"{at}recipe",
        )
    return row


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


def start_of(
    asked: defaults.Start | None, width: str, *, otherwise: defaults.Start = "scratch", at: str = ""
) -> defaults.Start:
    """How a network of a search begins: as its recipe says, as far as its cells have something to inherit.

    Args:
        asked: by its recipe.
        width: of the distilled cells.
        otherwise: where the recipe leaves it open.
        at: where the recipe stands in the spec, such as ``retrain.``.

    Raises:
        InvalidSpec: it is to inherit, and they have nothing.
    """
    if width != "teacher":
        return asked or otherwise
    if asked == "inherited":
        raise InvalidSpec(
            "Cells that are widened to the teacher's width are not built, so nothing can be inherited from them: take a search with "
            f"training.width adaptors, or {at}start scratch.",
            param=f"{at}start",
        )
    return "scratch"


class JobSpec(Part):
    """What any kind of job may be asked for. Only ``dataset`` is required."""

    name: Annotated[Text, AfterValidator(not_blank)] = Field(
        default="", description="What to call the job. Default: what suits its spec."
    )
    dataset: Text = Field(
        description="Name of a dataset of `GET /datasets` (its newest version), `name@version`, or its id."
    )
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
    int8_loss: float = Field(
        default=0.01,
        ge=0,
        le=1,
        description="Accuracy that a network may lose in 8 bits, 0 to 1, for its 8-bit ONNX file to be offered.",
    )
    seed: Whole = Field(
        default=0,
        ge=0,
        le=2**31 - 1,
        description="Of all that is random: the same spec and seed give the same networks and ratings.",
    )
    labels: dict[LabelKey, LabelValue] = Field(
        description="Free pairs of key and value, to find jobs by: 32 at most, keys of 1 to 64 characters, values of up to 256.",
        default_factory=dict,
        max_length=32,
    )
    priority: Priority = Field(
        default=Priority.NORMAL,
        strict=False,
        description="Jobs of a higher priority go before those of a lower one, whoever asks; a key may be limited in it, and left out it is no higher "
        "than that. What is computed is the same.",
    )


class ResolvedJob(Part, ABC):
    """What the resolved spec of any kind of job says."""

    name: str = Field(description="What the job is called.")
    seed: Whole = Field(description="Of all that is random.")
    labels: dict[str, str] = Field(description="Free pairs of key and value, to find jobs by.")

    @property
    @abstractmethod
    def dataset_name(self) -> str:
        """Of the images that it is about."""


class ResolvedNetworks(ResolvedJob):
    """That of a job which trains networks: all that training one and exporting it asks for."""

    dataset: DatasetInfo = Field(description="Its images, with what is known of them.")
    input_size: Whole = Field(description="Side in pixels that images are resized to.")
    augment: bool = Field(description="Whether training images are shifted, cropped and flipped at random.")
    flip: bool = Field(
        default_factory=lambda known: defaults.flip(known["dataset"]),
        description="Whether left and right may be exchanged in training images.",
    )
    """Left open in specs of versions that did not keep it."""
    resize: Fit = Field(default="crop", description="How a picture that is no square becomes one.")
    background: Colour = Field(default="white", description="Below what is transparent, and beside what is padded.")
    """Versions that kept neither did so."""
    int8_loss: float = Field(
        default=0.01,
        description="Accuracy that a network may lose in 8 bits, 0 to 1, for its 8-bit ONNX file to be offered.",
    )

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
    def exported(self) -> tuple[str, ...]:
        """Those of them of which files for use are made."""
        return self.networks

    def start_of(self, network: str) -> defaults.Began:  # noqa: ARG002  What all begin alike with.
        """What the weights of one of them are before its training."""
        return self.recipe_of_networks.start

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
