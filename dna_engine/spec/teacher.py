"""What a search asks of its teacher, and which teacher that is. Torch-free."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from dna_engine import defaults
from dna_engine.catalogue import Teacher, check_weights, get_teacher
from dna_engine.errors import InvalidSpec
from dna_engine.fields import DescribedBy
from dna_engine.images.info import DatasetInfo
from dna_engine.space import MAX_BLOCKS
from dna_engine.spec.parts import Part, RecipeSpec, Text, Whole

#: How a teacher may come by its weights.
Weights = Literal["pretrained", "finetune", "train"]


class TeacherSpec(Part):
    """The trained network whose features supervise the blocks."""

    model: Text | None = Field(
        default=None,
        description="A timm model of GET /teachers, with the tag of its weights or without. Default: suits the image size.",
    )
    source: Text | None = Field(
        default=None,
        alias="from",
        description="A teacher that there is: the id of a search whose teacher step is done, or id or name of one that was sent (POST "
        "/teachers). It supervises as it is, or with weights finetune trained further on this dataset.",
    )
    # The engine's command line takes more: the run folder of a search for the one, the path of a safetensors file for the other.
    weights: Annotated[Text, DescribedBy(Weights)] | None = Field(
        default=None,
        description="pretrained: timm's. finetune: those, trained further on this dataset. train: on this dataset alone. Weights of one's own "
        "are sent (POST /teachers) and named by `from`. Default: train for images under 64 pixels or where timm has none, else pretrained.",
    )
    boundaries: list[Text] | None = Field(
        default=None,
        min_length=1,
        max_length=MAX_BLOCKS,
        description="Modules after which the teacher is cut, in order. Default: its stage ends that fit the space.",
    )
    epochs: Whole | None = Field(
        default=None, ge=1, le=10_000, description="Epochs of teacher training when weights is train or finetune."
    )
    batch_size: Whole | None = Field(
        default=None, ge=2, le=65_536, description="Of teacher training. Default: as training."
    )
    learning_rate: float | None = Field(
        default=None,
        gt=0,
        le=10,
        description="AdamW's peak in teacher training. Default: as retrain; for finetune a third of it.",
    )
    input_size: Whole | None = Field(
        default=None,
        ge=16,
        le=1024,
        description="Side in pixels at which the teacher sees the images; its maps are resampled to the student's. Default: the student's.",
    )


class GivenTeacher(Part):
    """A teacher that there was before the search."""

    kind: Literal["search", "folder", "upload"] = Field(
        description="What it is taken from; upload: weights that were sent."
    )
    source: str = Field(description="Id of that search or upload; of a folder its path.")
    model: str = Field(description="The timm model.")
    weights: str = Field(description="How it came by its weights: pretrained, finetune, train, or upload.")
    taught: DatasetInfo | None = Field(
        description="The images whose classes it answers with; null where they are others, or unknown."
    )
    num_classes: int | None = Field(default=None, description="Of an upload, of which nothing else is known.")
    sha256: str = Field(description="Of its weights, in hexadecimal.")

    @property
    def named(self) -> str:
        """For people."""
        before = {"search": "the teacher of the search", "folder": "the teacher of", "upload": "the teacher"}
        return f"{before[self.kind]} {self.source}"


class ResolvedTeacher(Part):
    """The teacher with nothing left open."""

    model: str = Field(description="A timm model.")
    weights: str = Field(description="pretrained, finetune, train, or given: those of `given` as they are.")
    boundaries: list[str] = Field(description="Modules after which it is cut, in order.")
    epochs: Whole = Field(description="Of its training, where weights is train or finetune.")
    batch_size: Whole = Field(default=defaults.BATCH, description="Of its training.")
    learning_rate: float = Field(default=defaults.LEARNING_RATE, description="AdamW's peak in its training.")
    input_size: Whole | None = Field(
        default=None, description="Side in pixels at which it sees the images; null: the search's."
    )
    """Versions that knew no other took that of the search."""
    given: GivenTeacher | None = Field(
        default=None,
        description="What it begins with, where that was there before the search; `weights` is then given, or finetune where it is trained further.",
    )

    @property
    def frozen_epochs(self) -> int:
        """Of its epochs, the first ones, in which its classifier alone is trained."""
        return defaults.frozen_epochs(self.epochs) if self.weights == "finetune" else 0


def model_of(spec: TeacherSpec, given: GivenTeacher | None) -> str | None:
    """The model that is asked for, which must be what is given; None where that is left open.

    Raises:
        InvalidSpec: it is another.
    """
    if given is None:
        return spec.model
    if spec.model is not None and spec.model.partition(".")[0] != given.model.partition(".")[0]:
        raise InvalidSpec(
            f"{given.named.capitalize()} is a {given.model}, not a {spec.model}: leave teacher.model out.",
            param="teacher.model",
        )
    return given.model


def _weights(spec: TeacherSpec, teacher: Teacher, dataset: DatasetInfo, given: GivenTeacher | None) -> str:
    if given is None:
        weights = spec.weights or ("pretrained" if teacher.pretrained and dataset.image_size >= 64 else "train")
        check_weights(teacher, weights)
        return weights
    if spec.weights not in (None, "finetune"):
        raise InvalidSpec(
            "A teacher that is taken from elsewhere (teacher.from) has its weights: leave teacher.weights out, or ask for finetune to train "
            "them further.",
            param="teacher.weights",
        )
    return spec.weights or "given"


def resolve_teacher(
    spec: TeacherSpec, teacher: Teacher, boundaries: list[str], dataset: DatasetInfo, given: GivenTeacher | None
) -> ResolvedTeacher:
    """The teacher with nothing left open.

    Raises:
        InvalidSpec: weights that it does not have, or others than those given.
    """
    batch_size = spec.batch_size or defaults.batch_size(dataset.num_train)
    weights = _weights(spec, teacher, dataset, given)
    rate = defaults.finetuning_rate if weights == "finetune" else defaults.learning_rate
    return ResolvedTeacher(
        model=teacher.name,
        weights=weights,
        boundaries=boundaries,
        epochs=spec.epochs or defaults.epochs(dataset.num_train).teacher,
        batch_size=batch_size,
        learning_rate=spec.learning_rate or rate(batch_size),
        input_size=spec.input_size,
        given=given,
    )


def check_answers(
    recipe: RecipeSpec, teacher: ResolvedTeacher, taught: DatasetInfo, dataset: DatasetInfo, *, at: str = ""
) -> None:
    """Looks whether the teacher's answers tell of the dataset's classes, as far as that is known before it is there.

    Args:
        taught: the dataset of its search.
        dataset: that the network is trained on.
        at: where the recipe stands in the spec, such as ``retrain.``.

    Raises:
        InvalidSpec: its classes are others.
    """
    if recipe.distill is None or not recipe.distill.weight:
        return
    weights, known = teacher.weights, taught
    if teacher.given is not None and weights == "given":
        weights, known = teacher.given.weights, teacher.given.taught or taught
        if teacher.given.num_classes not in (None, dataset.num_classes):
            raise InvalidSpec(
                f"The teacher answers with {teacher.given.num_classes} classes, {dataset.name} has {dataset.num_classes}: leave {at}distill "
                "out, or train it further (teacher.weights finetune).",
                param=f"{at}distill",
            )
    if weights == "pretrained":
        if not _of_imagenet(dataset):
            raise InvalidSpec(
                f"The pretrained {teacher.model} answers with the classes of ImageNet, not with those of {dataset.name}: leave "
                f"{at}distill out, or search with a teacher that is trained on the images (teacher.weights finetune or train).",
                param=f"{at}distill",
            )
    elif not same_classes(known, dataset):
        raise InvalidSpec(
            f"The teacher answers with the classes of {known.name}, which are not those of {dataset.name}: leave {at}distill out.",
            param=f"{at}distill",
        )


def gives_head(teacher: ResolvedTeacher, taught: DatasetInfo, dataset: DatasetInfo) -> bool:
    """Whether a network that begins with its distilled blocks may have its head from the teacher's, as far as that is known before it is
    there.

    Args:
        taught: the dataset of its search.
        dataset: that the network is trained on.
    """
    return knows_classes(teacher, taught, dataset) and get_teacher(teacher.model).classifies(teacher.boundaries[-1])


def knows_classes(teacher: ResolvedTeacher, taught: DatasetInfo, dataset: DatasetInfo) -> bool:
    """Whether it was taught the classes of the dataset on images of a search, so that its answers tell of them for certain.

    Args:
        taught: the dataset of its search.
        dataset: that a network is trained on.
    """
    known: DatasetInfo | None = taught
    weights = teacher.weights
    if teacher.given is not None and weights == "given":
        weights, known = teacher.given.weights, teacher.given.taught
    return weights in ("train", "finetune") and known is not None and same_classes(known, dataset)


def same_classes(one: DatasetInfo, other: DatasetInfo) -> bool:
    """Whether two sets have the same classes, in the same order."""
    return _classes(one) == _classes(other)


def _classes(dataset: DatasetInfo) -> object:
    """What two sets of the same classes, in the same order, have in common."""
    return dataset.class_names or (dataset.kind, dataset.location)


def _of_imagenet(dataset: DatasetInfo) -> bool:
    """Whether the classes are the thousand of ImageNet, in their order, by the names that its folders have."""
    names = dataset.class_names
    return len(names) == 1000 and all(len(name) == 9 and name[0] == "n" and name[1:].isdecimal() for name in names)
