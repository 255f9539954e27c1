"""A search as it is written becomes one with nothing left open. Torch-free."""

from __future__ import annotations

from dna_engine import defaults
from dna_engine.catalogue import NATIVE_SIZE, Teacher, align, check_boundaries, check_size, default_space, get_teacher
from dna_engine.errors import InfeasibleBudget, InvalidSpace, InvalidSpec
from dna_engine.images.info import DatasetInfo
from dna_engine.space import MAX_PATHS, Space, parse_space
from dna_engine.space.cost import cost_range
from dna_engine.spec.held_out import held_out
from dna_engine.spec.parts import AnswersSpec, StoppingSpec, learned_from, left_open, start_of
from dna_engine.spec.search import (
    Budget,
    DistillSpec,
    RateSpec,
    ResolvedDistill,
    ResolvedRate,
    ResolvedRetrain,
    ResolvedSelect,
    ResolvedSpec,
    RetrainSpec,
    SearchSpec,
)
from dna_engine.spec.teacher import (
    GivenTeacher,
    ResolvedTeacher,
    check_answers,
    knows_classes,
    model_of,
    resolve_teacher,
)
from dna_engine.standard import check_references


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
    teacher = get_teacher(model_of(spec.teacher, given) or ("resnet10t" if small else "tf_efficientnet_b7"))
    input_size = spec.input_size or _input_size(teacher, spec.teacher.input_size, dataset)
    space = _space(spec, teacher.name, small)
    boundaries = spec.teacher.boundaries or align(teacher, space)
    check_boundaries(teacher, space, boundaries)
    check_size(teacher, spec.teacher.input_size or input_size)
    check_references(spec.retrain.references, input_size)
    start = start_of(spec.retrain.start, spec.training.width, otherwise=_start(spec.retrain), at="retrain.")
    weights = spec.block_weights or [1.0] * len(space.blocks)
    if len(weights) != len(space.blocks):
        raise InvalidSpec(
            f"The space has {len(space.blocks)} blocks, {len(weights)} weights were given.", param="block_weights"
        )
    supervisor = resolve_teacher(spec.teacher, teacher, boundaries, dataset, given)
    check_answers(spec.retrain, supervisor, dataset, dataset, at="retrain.")
    rating = _rating(spec.rating, dataset)
    return ResolvedSpec(
        name=spec.name or f"{dataset.name} with {teacher.name}",
        dataset=dataset,
        teacher=supervisor,
        space=space.to_json(),
        input_size=input_size,
        budget=_budget(spec.budget, space, input_size, dataset.num_classes),
        training=_distillation(spec.training, dataset),
        rating=rating,
        select=_selection(spec, dataset),
        retrain=_retraining(spec, dataset, start, supervisor, rating),
        block_weights=weights,
        times_networks=spec.budget.latency_ms is not None,
        augment=spec.augment,
        flip=defaults.flip(dataset) if spec.flip is None else spec.flip,
        resize=spec.resize or defaults.resize(dataset),
        background=spec.background,
        int8_loss=spec.int8_loss,
        seed=spec.seed,
        labels=spec.labels,
    )


def _input_size(teacher: Teacher, own: int | None, dataset: DatasetInfo) -> int:
    return NATIVE_SIZE if teacher.takes_one_size and own is None else defaults.input_size(dataset.image_size)


def _distillation(spec: DistillSpec, dataset: DatasetInfo) -> ResolvedDistill:
    found = {
        "epochs": spec.epochs or defaults.epochs(dataset.num_train).distillation,
        "batch_size": spec.batch_size or defaults.batch_size(dataset.num_train),
    }
    return ResolvedDistill.model_validate(spec.model_dump() | found)


def _rating(spec: RateSpec, dataset: DatasetInfo) -> ResolvedRate:
    images = held_out(spec.images, dataset, share=10, most=2048, to="rate by", at="rating.images")
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


def _start(spec: RetrainSpec) -> defaults.Start:
    """How networks begin where that is left open."""
    return "scratch" if spec.recipe == "paper" else defaults.START


def _retraining(
    search: SearchSpec, dataset: DatasetInfo, start: defaults.Start, teacher: ResolvedTeacher, rating: ResolvedRate
) -> ResolvedRetrain:
    """The answers of a teacher that knows the classes are learned from unless it is said otherwise."""
    spec = search.retrain
    answers = spec.distill
    if "distill" not in spec.model_fields_set and spec.recipe != "paper" and knows_classes(teacher, dataset, dataset):
        answers = AnswersSpec()
    found = left_open(spec, dataset.num_train, augment=search.augment, at="retrain.")
    found |= {"start": start, "distill": learned_from(answers), "early_stopping": _stopping(spec, rating)}
    return ResolvedRetrain.model_validate(spec.model_dump() | found)


def _stopping(spec: RetrainSpec, rating: ResolvedRate) -> StoppingSpec | None:
    """By the rating images, which no network of the search is trained on anyway."""
    asked = spec.early_stopping
    if asked is not None and asked.images not in (None, rating.images):
        raise InvalidSpec(
            f"A search holds {rating.images:,} images out for rating, and stops by those: leave images out, or change rating.images.",
            param="retrain.early_stopping.images",
        )
    return asked and asked.model_copy(update={"images": rating.images})


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
