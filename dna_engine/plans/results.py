"""What the steps of each kind have found: the ``values`` of their result events, as the engine fills them and others read them.

Torch-free. Shares and accuracies are 0 to 1, losses in nats, costs multiply-adds at batch 1 and parameters.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from dna_engine.accuracy import Accuracy, Comparison, compare
from dna_engine.by_class import ByClass
from dna_engine.defaults import Began
from dna_engine.events import Result
from dna_engine.images.check.report import Report
from dna_engine.images.info import DatasetInfo
from dna_engine.plans.steps import Kind


class Found(BaseModel):
    """What a step has found. What a later version adds is not read by an earlier one."""

    model_config = ConfigDict(frozen=True)

    def result(self, artifacts: Sequence[str]) -> Result:
        """The event that ends the step, which has left these files."""
        return Result(artifacts=list(artifacts), values=self.model_dump(mode="json"))


class Checked(Found):
    """``info`` and ``fingerprint`` of a dataset that can be used; of one that cannot, the errors of the ``report`` say why."""

    info: DatasetInfo | None = None
    fingerprint: str | None = None
    report: Report
    param: str | None = None
    """What of the request is at fault, where it is known."""


class Costs(BaseModel):
    model_config = ConfigDict(frozen=True)

    flops: int
    params: int


class TeacherFound(Found):
    """``accuracy`` and what it says where it was trained here; its costs at the ``input_size`` at which it sees the images.

    ``source`` says what it was taken from, such as ``the teacher of the search 0199...``, where it was there before the search;
    ``tag``, ``hub`` and ``revision`` say which weights of timm it has: the model on the hub, and the commit of it that was read.
    """

    source: str | None = None
    tag: str | None = None
    hub: str | None = None
    revision: str | None = None
    input_size: int | None = None
    accuracy: float | None = None
    test: Accuracy | None = None
    flops: int
    params: int


class CellsDistilled(Found):
    """The cells are what was made; their losses are metrics."""


class LatencyMeasured(Found):
    """``layers`` that were timed, on ``device`` with that version of ``torch``."""

    layers: int
    device: str
    torch: str


class TimedNetwork(BaseModel):
    """A network that was timed whole, one picture at a time.

    Attributes:
        predicted_ms: the sum of its layers; None where none were measured.
        torch: on the device of the step.
        onnxruntime: on its CPU; None of one that was over the limit, and where ONNX does not express it.
        holds: whether the median by torch is within the limit; where there is none it does.
        blocks: of each, ``{"cell", "ops"}``; of a network of a search.
    """

    model_config = ConfigDict(frozen=True)

    predicted_ms: float | None = None
    torch: Timed
    onnxruntime: Timed | None = None
    holds: bool = True
    blocks: list[dict[str, Any]] | None = None


class NetworksTimed(Found):
    """In the order of the ratings. ``device`` and ``cpu`` by their makers' names, ``threads`` of both runtimes on the CPU."""

    device: str
    cpu: str
    threads: int
    torch_version: str
    onnxruntime_version: str
    limit_ms: float | None = None
    networks: list[TimedNetwork]


class CellsRated(Found):
    """The least loss of any path, by cell."""

    best: dict[str, float]


class Chosen(BaseModel):
    """A network that was selected. ``loss`` is its rating; costs by formula; ``architecture`` as ``architecture.json`` has it."""

    model_config = ConfigDict(frozen=True)

    loss: float
    flops: int
    params: int
    latency_ns: int | None = Field(default=None, exclude_if=lambda latency: latency is None)
    architecture: dict[str, Any]


class ChosenReference(BaseModel):
    """A standard network to be trained beside those that were selected; costs as counted, ``architecture`` as ``architecture.json`` has it."""

    model_config = ConfigDict(frozen=True)

    flops: int
    params: int
    architecture: dict[str, Any]


class Finalist(BaseModel):
    """A network that was trained for a short time from the weights of its distilled blocks.

    Attributes:
        name: by its place among the ratings: ``finalist-1`` is the best rated.
        loss: its rating; costs by formula.
        blocks: of each, ``{"cell", "ops"}``.
        log_loss: mean cross entropy on the rating images afterwards; ``accuracy`` likewise.
        error: of the maps that it inherited, the largest of any block, relative.
    """

    model_config = ConfigDict(frozen=True)

    name: str
    loss: float
    flops: int
    params: int
    latency_ns: int | None = Field(default=None, exclude_if=lambda latency: latency is None)
    blocks: list[dict[str, Any]]
    log_loss: float
    accuracy: float
    error: float


class FinalistTried(Found):
    """Nothing where fewer networks fit the budget than were to be tried, and of one whose training diverged."""

    finalist: Finalist | None


class Selected(Found):
    """The winner, its control where one was drawn, the number of ``networks`` as a decimal string, points on the ``frontier``, and the
    finalists, the least log-loss first, where there were some; standard networks by their names.
    """

    winner: Chosen
    control: Chosen | None = Field(default=None, exclude_if=lambda control: control is None)
    networks: str
    frontier: int
    finalists: list[Finalist] = Field(default=[], exclude_if=lambda finalists: not finalists)
    references: dict[str, ChosenReference] = Field(default={}, exclude_if=lambda references: not references)

    @property
    def chosen(self) -> dict[str, Chosen]:
        """The networks by their folders."""
        found = {"winner": self.winner, "control": self.control}
        return {name: network for name, network in found.items() if network is not None}


class Stopped(BaseModel):
    """Where a training ended that looked at images which were held out.

    Attributes:
        epoch: after which it ended.
        best_epoch: after which the network answered them best; its weights are kept.
        log_loss: mean cross entropy on them then, nats.
        images: how many they are.
        early: whether it ended before its last epoch for want of a better one.
    """

    epoch: float
    best_epoch: float
    log_loss: float
    images: int
    early: bool


class Trained(Found):
    """What ``training.json`` holds.

    Attributes:
        test_loss: mean cross entropy on the test images.
        test: what the accuracy says; not known of trainings by early versions.
        by_class: what was reached in each class; the same.
        seconds: spent training and evaluating, over all interruptions.
        images_per_second: training images over the seconds spent training.
        step_images_per_second: the same, had no batch been waited for. Early versions knew neither it nor the two below.
        loader_images_per_second: at which batches can be made, decoded and augmented, while the network is trained.
        waited: share of the seconds spent training in which the device did nothing but wait for a batch or make it, 0 to 1.
        early_stopping: where it ended, of a training that was to stop early.
        predicted: costs by formula.
        counted: costs as counted on the network built.
        recipe: ``dna_engine.training.recipe.Recipe`` by name of field, and its ``name``, which early versions did not know.
        start: what the weights were before. Early versions knew no other than scratch.
        transferred_from: the dataset that they were trained on, where another training had left them.
        dataset: its name.
    """

    test_accuracy: float
    test_loss: float
    test: Accuracy | None = None
    by_class: ByClass | None = None
    seconds: float
    images_per_second: float
    step_images_per_second: float | None = None
    loader_images_per_second: float | None = None
    waited: float | None = None
    early_stopping: Stopped | None = Field(default=None, exclude_if=lambda stopped: stopped is None)
    predicted: Costs
    counted: Costs
    recipe: dict[str, Any]
    start: Began = "scratch"
    transferred_from: str | None = None
    dataset: str
    seed: int


class Timed(BaseModel):
    """What so many runs took, one after another: the median and the 95th percentile, in milliseconds."""

    model_config = ConfigDict(frozen=True)

    median_ms: float = Field(description="Milliseconds.")
    p95_ms: float = Field(description="Milliseconds, the 95th percentile.")
    runs: int = Field(description="How many they were.")


class Exported(Found):
    """What ``export.json`` holds; each of the mappings is by file: ``safetensors``, and ``onnx`` and ``onnx-int8`` where they were made,
    to be offered or not.

    Attributes:
        images: test images on which the files were compared with the trained network.
        spread: standard deviation of the network's logits on them. Early versions knew neither it nor what comes from it.
        accuracy: on those images; of ``torch`` too.
        warning: why there is no ONNX file.
        no_int8: why there is none in 8 bits. Early versions made none, and knew nothing of what follows.
        size: bytes.
        latency: of a picture alone, by onnxruntime on one thread of the CPU ``device``.
        opset: of the ONNX files, and ``ir_version``, of their format.
    """

    images: int
    spread: float | None = None
    largest_difference: dict[str, float]
    relative_difference: dict[str, float] = {}
    same_answers: dict[str, float] = {}
    accuracy: dict[str, float]
    warning: str | None = None
    no_int8: str | None = None
    size: dict[str, int] = {}
    latency: dict[str, Timed] = {}
    device: str | None = None
    opset: int | None = None
    ir_version: int | None = None
    predicted: Costs
    counted: Costs
    test_accuracy: float


class PicturesDrawn(Found):
    """Names of the pictures that could be drawn."""

    drawn: list[str]


class TrialTried(Found):
    """What came of a trial of a tuning.

    Attributes:
        state: complete; pruned, ended early; diverged, whose training came to no finite loss; failed, for another reason.
        value: accuracy on the images that were held out, 0 to 1, after the last of its ``epochs``; 0 of one that diverged, None of one
            that failed.
        log_loss: on them, of one that is complete.
        seconds: spent training and evaluating.
        error: ``code``, ``message`` and ``param`` of one that failed.
    """

    state: Literal["complete", "pruned", "diverged", "failed"]
    value: float | None = None
    epochs: int = 0
    log_loss: float | None = None
    seconds: float | None = None
    error: dict[str, Any] | None = None


FOUND: Mapping[Kind, type[Found]] = {
    Kind.CHECK: Checked,
    Kind.TEACHER: TeacherFound,
    Kind.DISTILL: CellsDistilled,
    Kind.LATENCY: LatencyMeasured,
    Kind.RATE: CellsRated,
    Kind.TIME: NetworksTimed,
    Kind.FINALIST: FinalistTried,
    Kind.SELECT: Selected,
    Kind.TRAIN: Trained,
    Kind.EXPORT: Exported,
    Kind.PICTURES: PicturesDrawn,
    Kind.TRIAL: TrialTried,
}


def comparison(trained: Mapping[str, Trained]) -> Comparison | None:
    """The winner beside its control, by their folders; None while it is not known what both accuracies say."""
    winner, control = (trained[name].test if name in trained else None for name in ("winner", "control"))
    return compare(winner, control) if winner and control else None


class Beside(Comparison):
    """The winner beside a standard network, on the same test images, by the same recipe."""

    network: str = Field(description="The standard network, a model of timm.")
    flops_ratio: float = Field(description="Its multiply-adds over the winner's.")


def beside_references(trained: Mapping[str, Trained]) -> list[Beside]:
    """The winner beside each of the standard networks of a search, by their folders, as far as both are trained."""
    winner = trained.get("winner")
    if winner is None or winner.test is None:
        return []
    found = {name: one for name, one in trained.items() if name not in ("winner", "control")}
    return [_beside(name, winner, winner.test, one, one.test) for name, one in found.items() if one.test]


def _beside(name: str, winner: Trained, reached: Accuracy, reference: Trained, its: Accuracy) -> Beside:
    compared = compare(reached, its, name)
    ratio = reference.counted.flops / winner.counted.flops
    began = {"inherited": "the winner from the weights of its distilled blocks"}.get(winner.start, "as the winner was")
    says = f"{compared.says} {name} has {ratio:.2f} times the winner's multiply-adds and was trained from scratch by the same recipe, {began}."
    return Beside(**compared.model_dump(exclude={"says"}), says=says, network=name, flops_ratio=ratio)
