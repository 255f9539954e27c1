"""What a search is asked to do. Torch-free: the API validates with it, the engine runs it.

``SearchSpec`` is what a user writes; only ``dataset`` is required. ``resolve`` fills in the rest to suit the dataset and
checks that the whole fits together. A resolved spec and its seed determine the ratings and the architecture.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Any, ClassVar, Literal

from pydantic import Field, field_validator

from dna_engine import defaults
from dna_engine.catalogue import (
    NATIVE_SIZE,
    Teacher,
    align,
    check_boundaries,
    check_size,
    check_weights,
    default_space,
    get_teacher,
)
from dna_engine.errors import InfeasibleBudget, InvalidSpace, InvalidSpec
from dna_engine.images.info import DatasetInfo
from dna_engine.space import MAX_BLOCKS, MAX_PATHS, CellRef, Space, parse_space
from dna_engine.space.cost import cost_range
from dna_engine.spec.parts import (
    JobSpec,
    Part,
    RecipeSpec,
    ResolvedJob,
    ResolvedRecipe,
    Text,
    Whole,
    left_open,
)


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
        "/teachers). To the engine's command line the run folder of a search. It supervises as it is, or with weights finetune trained further on this dataset.",
    )
    weights: Text | None = Field(
        default=None,
        description="pretrained (timm's), finetune (those, trained further on this dataset), train (on this dataset alone), or the path of "
        "a safetensors file. Default: train for images under 64 pixels or where timm has none, else pretrained.",
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


class Budget(Part):
    """Upper limits; none means no limit of that kind. Default: the middle of the feasible range of flops."""

    flops: Whole | None = Field(default=None, gt=0, le=2**62, description="Multiply-adds at batch 1.")
    params: Whole | None = Field(default=None, gt=0, le=2**62, description="Trainable parameters.")
    latency_ms: float | None = Field(
        default=None, gt=0, le=1e9, description="Milliseconds at batch 1 on the device of the worker that rates."
    )

    @property
    def limits(self) -> dict[str, int]:
        """Limits by cost name as integers; latency in nanoseconds."""
        found = {"flops": self.flops, "params": self.params}
        limits = {name: value for name, value in found.items() if value is not None}
        if self.latency_ms is not None:
            limits["latency_ns"] = round(self.latency_ms * 1e6)
        return limits


class DistillSpec(Part):
    """Training of the block supernets."""

    epochs: Whole | None = Field(default=None, ge=1, le=10_000, description="Default: 20, more for few images.")
    batch_size: Whole | None = Field(
        default=None, ge=2, le=65_536, description="Default: 64, down to 16 for fewer than 1,024 images."
    )
    learning_rate: float = Field(default=0.005, gt=0, le=10, description="Adam's, decayed by a cosine to 0.")
    weight_decay: float = Field(default=1e-4, ge=0, le=1)
    sampling: Literal["uniform", "fair"] = Field(
        default="fair",
        description="uniform: one path drawn per cell and step. fair: over every window of as many steps as there are "
        "ops, each op of each layer is trained exactly once.",
    )
    loss: Literal["normalized", "plain"] = Field(
        default="normalized",
        description="plain: mean squared distance. normalized: the same over the teacher's variance.",
    )
    width: Literal["adaptors", "teacher"] = Field(
        default="adaptors",
        description="adaptors: cells as built, 1x1 adaptors outside. teacher: first and last width widened to the "
        "teacher's, as the reference implementation does; for comparison only.",
    )


class RateSpec(Part):
    """Rating of every path on held-out training images."""

    images: Whole | None = Field(default=None, ge=2, le=1_000_000)
    batch_size: Whole = Field(default=64, ge=2, le=65_536)
    memory_mb: Whole = Field(
        default=512, ge=16, le=1 << 20, description="Bound on the activations of stacked sibling paths."
    )


class SelectSpec(Part):
    """Which networks are looked at whole before one of them wins: ratings of blocks pick, exactly, and a short training decides."""

    finalists: Whole | None = Field(
        default=None,
        ge=0,
        le=64,
        description="So many networks, the best by their ratings within the budget, are trained for a short time from the weights of their "
        "distilled blocks; the least log-loss on the rating images wins. 0: the ratings alone decide. Default: 8.",
    )
    epochs: float | None = Field(
        default=None,
        gt=0,
        le=100,
        description="Passes over the training images in which each is trained. Default: a quarter, more for few images.",
    )
    min_distance: Whole = Field(
        default=1, ge=1, le=64, description="Layers in which each finalist differs at least from those before it."
    )


class RetrainSpec(RecipeSpec):
    """Training of the winner, and of a random network of as many multiply-adds by the same recipe."""

    control: bool = Field(default=True, description="Also train a random network with flops within 3% of the winner's.")


class SearchSpec(JobSpec):
    """A search. Only ``dataset`` is required; everything else has defaults that suit the dataset."""

    teacher: TeacherSpec = TeacherSpec()
    space: Text | dict[str, Any] | None = Field(
        default=None,
        description="A preset (dna-mbconv, dna-mbconv-single, mbconv-small, fused-small, mobilenetv4) or an explicit space. "
        "Default: mbconv-small for images under 64 pixels, else one derived from the teacher's blocks.",
    )
    input_size: Whole | None = Field(
        default=None,
        ge=16,
        le=1024,
        description="Side in pixels that images are resized to. Default: 224, less for images under 64 pixels.",
    )
    budget: Budget = Budget()
    training: DistillSpec = DistillSpec()
    rating: RateSpec = RateSpec()
    select: SelectSpec = SelectSpec()
    retrain: RetrainSpec = RetrainSpec()
    block_weights: list[Annotated[float, Field(ge=0, le=1e6)]] | None = Field(
        default=None, max_length=MAX_BLOCKS, description="Weight of each block's rating in the sum. Default: all 1."
    )

    @field_validator("block_weights")
    @classmethod
    def _weights_tell(cls, weights: list[float] | None) -> list[float] | None:
        if weights and not any(weights):
            raise ValueError("At least one block must have a weight above 0")
        return weights


class GivenTeacher(Part):
    """A teacher that there was before the search.

    Attributes:
        kind: what it is taken from; upload: weights that were sent.
        source: that search's id, or its run folder on this machine; of an upload its id.
        model: the timm model.
        weights: how it came by its weights: pretrained, finetune, train, upload, or the path of a file.
        taught: the images whose classes it answers with; None where they are others, or unknown.
        num_classes: of an upload, of which nothing else is known.
        sha256: of its weights.
    """

    kind: Literal["search", "folder", "upload"]
    source: str
    model: str
    weights: str
    taught: DatasetInfo | None
    num_classes: int | None = None
    sha256: str

    @property
    def named(self) -> str:
        """For people."""
        before = {"search": "the teacher of the search", "folder": "the teacher of", "upload": "the teacher"}
        return f"{before[self.kind]} {self.source}"


class ResolvedTeacher(Part):
    model: str
    weights: str
    boundaries: list[str]
    epochs: Whole
    batch_size: Whole = defaults.BATCH
    learning_rate: float = defaults.LEARNING_RATE
    input_size: Whole | None = None
    """None for that of the search, as in specs of versions that knew no other."""
    given: GivenTeacher | None = None
    """What it begins with; ``weights`` is then ``given``, or ``finetune`` where it is trained further."""

    @property
    def frozen_epochs(self) -> int:
        """Of its epochs, the first ones, in which its classifier alone is trained."""
        return defaults.frozen_epochs(self.epochs) if self.weights == "finetune" else 0


class ResolvedDistill(DistillSpec):
    epochs: Whole
    batch_size: Whole


class ResolvedRate(RateSpec):
    images: Whole
    memory_mb: Whole = 512


class ResolvedSelect(SelectSpec):
    finalists: Whole
    epochs: float


class ResolvedRetrain(ResolvedRecipe, RetrainSpec):
    """Nothing of it is left open."""


class ResolvedSpec(ResolvedJob):
    """A search with nothing left open. ``space`` is explicit, ``dataset`` carries what is known of the images."""

    rate_field: ClassVar[str] = "retrain.learning_rate"

    job: Literal["search"] = "search"
    teacher: ResolvedTeacher
    space: dict[str, Any]
    budget: Budget
    training: ResolvedDistill
    rating: ResolvedRate
    select: ResolvedSelect = ResolvedSelect(finalists=0, epochs=defaults.LEAST_SHARE)
    """Versions that did not know it let the ratings alone decide."""
    retrain: ResolvedRetrain
    block_weights: list[float]

    @property
    def teacher_size(self) -> int:
        """Side in pixels at which the teacher sees the images."""
        return self.teacher.input_size or self.input_size

    @property
    def held_out(self) -> int:
        return self.rating.images

    @property
    def networks(self) -> tuple[str, ...]:
        return ("winner", "control") if self.retrain.control else ("winner",)

    @property
    def finalists(self) -> tuple[str, ...]:
        """Names of the networks that are looked at whole, best rating first; there may be fewer within the budget."""
        return tuple(f"finalist-{place}" for place in range(1, self.select.finalists + 1))

    @property
    def inherited_from(self) -> Sequence[CellRef]:
        return self.parsed_space.cells if self.retrain.start == "inherited" else ()

    @property
    def head_from_teacher(self) -> bool:
        return self.retrain.start == "inherited" and gives_head(self.teacher, self.dataset, self.dataset)

    @property
    def recipe_of_networks(self) -> ResolvedRecipe:
        return self.retrain

    @property
    def parsed_space(self) -> Space:
        return parse_space(self.space)


def resolve(spec: SearchSpec, dataset: DatasetInfo, given: GivenTeacher | None = None) -> ResolvedSpec:
    """The spec with every default filled in for this dataset.

    Args:
        given: the teacher that ``teacher.from`` names.

    Raises:
        UnknownName: a teacher, space or op that does not exist.
        InvalidSpec: parts that do not fit together, or a dataset with too few images.
        InfeasibleBudget: no network of the space fits; carries the feasible range.
    """
    small = dataset.image_size < 64
    teacher = get_teacher(_model(spec.teacher, given) or ("resnet10t" if small else "tf_efficientnet_b7"))
    input_size = spec.input_size or _input_size(teacher, spec.teacher.input_size, dataset)
    space = _space(spec, teacher.name, small)
    boundaries = spec.teacher.boundaries or align(teacher, space)
    check_boundaries(teacher, space, boundaries)
    check_size(teacher, spec.teacher.input_size or input_size)
    start = start_of(spec.retrain, spec.training.width, at="retrain.")
    weights = spec.block_weights or [1.0] * len(space.blocks)
    if len(weights) != len(space.blocks):
        raise InvalidSpec(
            f"The space has {len(space.blocks)} blocks, {len(weights)} weights were given.", param="block_weights"
        )
    supervisor = _teacher(spec.teacher, teacher, boundaries, dataset, given)
    check_answers(spec.retrain, supervisor, dataset, dataset, at="retrain.")
    return ResolvedSpec(
        name=spec.name or f"{dataset.name} with {teacher.name}",
        dataset=dataset,
        teacher=supervisor,
        space=space.to_json(),
        input_size=input_size,
        budget=_budget(spec.budget, space, input_size, dataset.num_classes),
        training=_distillation(spec.training, dataset),
        rating=_rating(spec.rating, dataset),
        select=_selection(spec, dataset),
        retrain=_retraining(spec.retrain, dataset, start),
        block_weights=weights,
        augment=spec.augment,
        flip=defaults.flip(dataset.name) if spec.flip is None else spec.flip,
        seed=spec.seed,
        labels=spec.labels,
    )


def _input_size(teacher: Teacher, own: int | None, dataset: DatasetInfo) -> int:
    if dataset.image_size >= 64 or (teacher.takes_one_size and own is None):
        return NATIVE_SIZE
    return 16 if dataset.image_size < 16 else 32


def _model(spec: TeacherSpec, given: GivenTeacher | None) -> str | None:
    """What is asked for, which must be what is given."""
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


def _teacher(
    spec: TeacherSpec, teacher: Teacher, boundaries: list[str], dataset: DatasetInfo, given: GivenTeacher | None
) -> ResolvedTeacher:
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


def start_of(recipe: RecipeSpec, width: str, *, at: str = "") -> defaults.Start:
    """How a network of a search begins: as its recipe says, or the default, as far as its cells have something to inherit.

    Args:
        width: of the distilled cells.
        at: where the recipe stands in the spec, such as ``retrain.``.

    Raises:
        InvalidSpec: it is to inherit, and they have nothing.
    """
    if width != "teacher":
        return recipe.start or defaults.START
    if recipe.start == "inherited":
        raise InvalidSpec(
            "Cells that are widened to the teacher's width are not built, so nothing can be inherited from them: take a search with "
            f"training.width adaptors, or {at}start scratch.",
            param=f"{at}start",
        )
    return "scratch"


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
    if recipe.distill is None:
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
    elif _classes(known) != _classes(dataset):
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
    known: DatasetInfo | None = taught
    weights = teacher.weights
    if teacher.given is not None and weights == "given":
        weights, known = teacher.given.weights, teacher.given.taught
    same = known is not None and _classes(known) == _classes(dataset)
    return same and weights in ("train", "finetune") and get_teacher(teacher.model).classifies(teacher.boundaries[-1])


def _classes(dataset: DatasetInfo) -> object:
    """What two sets of the same classes, in the same order, have in common."""
    return dataset.class_names or (dataset.kind, dataset.location)


def _of_imagenet(dataset: DatasetInfo) -> bool:
    """Whether the classes are the thousand of ImageNet, in their order, by the names that its folders have."""
    names = dataset.class_names
    return len(names) == 1000 and all(len(name) == 9 and name[0] == "n" and name[1:].isdecimal() for name in names)


def _distillation(spec: DistillSpec, dataset: DatasetInfo) -> ResolvedDistill:
    found = {
        "epochs": spec.epochs or defaults.epochs(dataset.num_train).distillation,
        "batch_size": spec.batch_size or defaults.batch_size(dataset.num_train),
    }
    return ResolvedDistill.model_validate(spec.model_dump() | found)


def _rating(spec: RateSpec, dataset: DatasetInfo) -> ResolvedRate:
    """Refuses to hold out so many that a class would be left without an image to train with."""
    images = spec.images or min(max(dataset.num_train // 10, 2), 2048)
    most = dataset.num_train - dataset.num_classes
    if images > most:
        advice = f"Hold out at most {most:,}" if spec.images and most >= 2 else "Add images"
        raise InvalidSpec(
            f"{dataset.name} has {dataset.num_train:,} images to train with, of {dataset.num_classes:,} classes: {images:,} "
            f"are to be held out for rating, and one of every class is to be left. {advice}.",
            param="rating.images" if spec.images else "dataset",
        )
    return ResolvedRate.model_validate(spec.model_dump() | {"images": images})


def _selection(spec: SearchSpec, dataset: DatasetInfo) -> ResolvedSelect:
    """Refuses finalists where there is nothing for them to begin with; one alone needs no final."""
    built = spec.training.width == "adaptors"
    if spec.select.finalists and not built:
        raise InvalidSpec(
            "Cells that are widened to the teacher's width are not built, so finalists cannot begin with their weights: take "
            "training.width adaptors, or select.finalists 0.",
            param="select.finalists",
        )
    asked = defaults.FINALISTS if spec.select.finalists is None else spec.select.finalists
    batch_size = spec.retrain.batch_size or defaults.batch_size(dataset.num_train)
    found = {
        "finalists": asked if built and asked > 1 else 0,
        "epochs": spec.select.epochs or defaults.short_epochs(dataset.num_train, batch_size),
    }
    return ResolvedSelect.model_validate(spec.select.model_dump() | found)


def _retraining(spec: RetrainSpec, dataset: DatasetInfo, start: defaults.Start) -> ResolvedRetrain:
    found = left_open(spec, dataset.num_train, at="retrain.") | {"start": start}
    return ResolvedRetrain.model_validate(spec.model_dump() | found)


def _space(spec: SearchSpec, teacher: str, small: bool) -> Space:
    if spec.space is not None:
        return _searchable(parse_space(spec.space))
    return parse_space("mbconv-small") if small else default_space(get_teacher(teacher))


def _searchable(space: Space) -> Space:
    """The space, where all its paths can be rated."""
    if (paths := sum(space.paths_per_block)) > MAX_PATHS:
        raise InvalidSpace(
            f"The cells have {paths:,} paths, and each is rated; at most {MAX_PATHS:,} are searched. Take fewer ops, or cells "
            "of fewer layers.",
            param="space.blocks",
        )
    return space


def _budget(budget: Budget, space: Space, input_size: int, num_classes: int) -> Budget:
    """The budget as asked, or the middle of the range of flops; refuses what no network can meet.

    Limits that are each feasible but not together are found by the exact selection, :func:`dna_engine.select.best`.
    """
    spans = cost_range(space, input_size=input_size, num_classes=num_classes)
    binding = [name for name, limit in budget.limits.items() if name in spans and limit < spans[name][0]]
    if binding:
        raise InfeasibleBudget(
            "No network of the space fits the budget: "
            + "; ".join(
                f"{name} is at most {budget.limits[name]:,}, the smallest network has {spans[name][0]:,}"
                for name in binding
            )
            + f". Ask for {binding[0]} between {spans[binding[0]][0]:,} and {spans[binding[0]][1]:,}.",
            binding=binding,
            feasible=spans,
            nearest=[{name: spans[name][0] for name in binding}],
        )
    if not budget.limits:
        low, high = spans["flops"]
        return Budget(flops=(low + high) // 2)
    return budget
