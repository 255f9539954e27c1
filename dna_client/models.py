"""The JSON objects of the API as types. What the server sends is what the caller gets, later fields included.

Times are RFC 3339 in UTC, ids are UUIDs as text, costs are whole numbers: ``flops`` multiply-adds at batch 1, ``params``
trainable parameters.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Generic, Literal, NotRequired, TypedDict, TypeVar

Item = TypeVar("Item")
Format = Literal["json", "safetensors", "onnx", "onnx-int8", "triton", "bundle"]
Picture = Literal["loss", "features", "frontier"]
#: What a confusion matrix can be had as.
Confusion = Literal["json", "svg"]
State = Literal["queued", "running", "succeeded", "failed", "cancelled"]
Priority = Literal["low", "normal", "high"]

JobKind = Literal["search", "training", "tuning", "check"]

#: Points (x, y) by series.
Series = dict[str, list[tuple[float, float]]]

#: States in which no work is done and none will be, unless the job is resumed.
FINISHED = frozenset({"succeeded", "failed", "cancelled"})

#: The phases of a job of each kind, in order.
PHASES: Mapping[JobKind, tuple[str, ...]] = {
    "search": ("latency", "teacher", "distill", "rate", "time", "finalists", "select", "train", "export"),
    "training": ("train", "export"),
    "tuning": ("trials",),
    "check": ("check",),
}
#: Those that a job may do without, and of them those that few have: they are shown once they have begun.
OPTIONAL, RARE = frozenset({"latency", "time", "finalists"}), frozenset({"latency", "time"})


class Page(TypedDict, Generic[Item]):
    """A page of a list; ``next`` is the cursor of the page after, None on the last."""

    items: list[Item]
    next: str | None


class Problem(TypedDict):
    """Why a job or a step failed."""

    code: str
    message: str
    param: str | None
    step: NotRequired[str | None]


class Accuracy(TypedDict):
    """What a network reached on the test ``images``, beside what is reached without looking at them. Shares are 0 to 1.

    ``interval`` is the 95% interval of ``accuracy``; ``balanced_accuracy`` the mean over the classes; ``chance`` what guessing
    reaches, ``majority`` what always answering the commonest class does. ``verdict`` says in words when the network cannot be
    told from such. ``log_loss`` is the mean cross entropy in nats, ``calibration_error`` the expected calibration error, 0 to 1;
    both are None where an early version has trained.
    """

    images: int
    accuracy: float
    interval: list[float]
    balanced_accuracy: float
    chance: float
    majority: float
    verdict: str | None
    log_loss: NotRequired[float | None]
    calibration_error: NotRequired[float | None]


class ClassRecall(TypedDict):
    """How much of the class ``name`` was recognised: ``right`` of its test ``images``, a ``recall`` with its 95% ``interval``.

    So many images of any class were ``answered`` with it.
    """

    name: str
    images: int
    right: int
    answered: int
    recall: float | None
    interval: list[float] | None


class Confused(TypedDict):
    """So many test ``images`` of the class ``label`` were taken for ``answer``."""

    label: str
    answer: str
    images: int


class ByClass(TypedDict):
    """What was reached in each of so many ``classes``, the least recognised first; what is ``confused``, the commonest pair first.

    Both lists are cut off; the confusion matrix has all.
    """

    classes: int
    recalls: list[ClassRecall]
    confused: list[Confused]


class Comparison(TypedDict):
    """The winner beside its control: the ``difference`` of accuracies with its 95% ``interval``, and what it ``says``."""

    difference: float
    interval: list[float]
    says: str


class Beside(Comparison):
    """The winner beside a standard network, and the multiply-adds of that over the winner's."""

    network: str
    flops_ratio: float


class Step(TypedDict):
    """One unit of work of a job. ``engine_seconds`` is the time the engine ran for it, over all attempts."""

    id: str
    key: str
    kind: str
    phase: str
    queue: str
    cells: list[str]
    network: str | None
    state: State
    attempt: int
    max_attempts: int
    done: int
    total: int
    unit: str
    parts: list[str]
    eta_seconds: float | None
    engine_seconds: float
    device: str | None
    values: dict[str, Any]
    error: Problem | None
    queued_at: str
    started_at: str | None
    finished_at: str | None


class Best(TypedDict):
    """The best network of a search so far; ``loss`` is its rating."""

    architecture_id: str
    loss: float | None
    flops: int
    params: int
    latency_ns: int | None
    test_accuracy: float | None
    test: Accuracy | None


class SearchNetwork(TypedDict):
    """A network of a search; ``test_accuracy`` is known once it is trained. A standard one has the ``name`` of its model."""

    id: str
    role: Literal["winner", "control", "selected", "reference"]
    name: NotRequired[str | None]
    loss: float | None
    flops: int
    params: int
    test_accuracy: float | None
    test: Accuracy | None
    by_class: NotRequired[ByClass | None]


class JobSummary(TypedDict):
    """A job of any kind as it is listed."""

    id: str
    name: str
    state: State
    phase: str
    progress: float
    eta_seconds: float | None
    dataset: str
    seed: int
    labels: dict[str, str]
    priority: Priority
    error: Problem | None
    cloned_from: str | None
    cancel_requested: bool
    waiting_for: NotRequired[str | None]
    queue_position: NotRequired[int | None]
    created_at: str
    created_by: NotRequired[str | None]
    project: NotRequired[str | None]
    started_at: str | None
    finished_at: str | None


class SearchSummary(JobSummary):
    """A search as it is listed."""

    teacher: NotRequired[str]
    budget: NotRequired[dict[str, Any]]
    best: Best | None
    control_accuracy: NotRequired[float | None]
    versus_control: NotRequired[str | None]


class Search(SearchSummary):
    """A search with its resolved ``spec``, its steps and its networks; ``comparison`` once winner and control are trained."""

    spec: dict[str, Any]
    written: NotRequired[dict[str, Any]]
    last_event: NotRequired[int]
    warnings: list[str]
    steps: list[Step]
    architectures: list[SearchNetwork]
    comparison: Comparison | None
    beside: NotRequired[list[Beside]]


class EstimatedStep(TypedDict):
    """A phase of a search as planned."""

    kind: str
    cells: list[str]
    networks: list[str]
    device_seconds: float
    basis: Literal["measured", "default"]


class Estimate(TypedDict):
    """What a search would be. ``candidates`` is a decimal string: often beyond 2^53."""

    candidates: str
    paths: int
    feasible_range: dict[str, list[int]]
    feasible: bool | None
    reason: str | None
    binding: list[str]
    nearest: list[dict[str, int]]
    warnings: list[str]
    steps: list[EstimatedStep]
    device: str
    device_seconds: float
    recipe: RecipeChoice
    spec: dict[str, Any]


class ChosenBlock(TypedDict):
    """What a network takes of a block."""

    cell: int
    ops: list[str]


class FrontierPoint(TypedDict):
    """A network that no other beats in both cost and predicted loss."""

    cost: int
    loss: float
    flops: int
    params: int
    latency_ns: int | None
    blocks: list[ChosenBlock]
    architecture: dict[str, Any]


class Frontier(TypedDict):
    """The whole exact frontier, by ascending cost: ``total`` points."""

    cost: str
    total: int
    points: list[FrontierPoint]


class LookedAt(TypedDict):
    """What came of a finalist of the search, on the rating images."""

    log_loss: float
    accuracy: float


class Selected(TypedDict):
    """A network chosen from finished ratings, kept as an architecture of the search."""

    id: str
    role: str
    loss: float
    flops: int
    params: int
    latency_ns: int | None
    looked_at: LookedAt | None
    architecture: dict[str, Any]


class Selection(TypedDict):
    """The best networks within a budget, best first."""

    architectures: list[Selected]
    exact: bool


class Rating(TypedDict):
    """A candidate: path number ``index`` of a cell, and its rating."""

    block: int
    cell: int
    index: int
    ops: list[str]
    loss: float


class Event(TypedDict):
    """Something that happened to a job: ``type`` is state, step, progress, metric or log.

    One more type, ``waiting``, is given only where asked for: what the job waits for just now, ``waiting_for``. It has no number
    of its own; ``seq`` is that of the event before it.
    """

    seq: int
    type: str
    data: dict[str, Any]


class ArchitectureSummary(TypedDict):
    """A network as it is listed; ``architecture`` is the JSON that timm builds it from. One that was given is of no search."""

    id: str
    search_id: str | None
    role: str
    name: NotRequired[str | None]
    search: NotRequired[str | None]
    architecture: dict[str, Any]
    loss: float | None
    flops: int
    params: int
    latency_ns: int | None
    counted_flops: int | None
    counted_params: int | None
    test_accuracy: float | None
    test_dataset: NotRequired[str | None]
    test_training_id: NotRequired[str | None]
    created_at: str
    created_by: NotRequired[str | None]
    project: NotRequired[str | None]


class Latency(TypedDict):
    """How long one picture took onnxruntime on one thread of the CPU ``device``, in so many runs."""

    median_ms: float
    p95_ms: float
    runs: int
    device: str | None


class Timed(TypedDict):
    """What so many runs took: the median and the 95th percentile."""

    median_ms: float
    p95_ms: float
    runs: int


class Timing(TypedDict):
    """How long a network takes whole, one picture at a time; None before a worker has timed it.

    ``torch`` ran on ``device``, ``onnxruntime`` on ``cpu``, both on so many ``threads`` there.
    """

    id: str
    state: State
    waiting_for: NotRequired[str | None]
    queue_position: NotRequired[int | None]
    warnings: NotRequired[list[str]]
    device: str | None
    cpu: str | None
    threads: int | None
    torch: Timed | None
    onnxruntime: Timed | None
    torch_version: str | None
    onnxruntime_version: str | None
    error: Problem | None
    created_at: str
    created_by: NotRequired[str | None]
    project: NotRequired[str | None]


class File(TypedDict):
    """A file that can be downloaded; ``size`` in bytes, and what was measured of it when it was exported, where it was."""

    format: Format
    size: int
    sha256: str
    accuracy: float | None
    latency: Latency | None
    largest_difference: float | None
    same_answers: float | None


class Architecture(ArchitectureSummary):
    """A network with its files, the ids of its ``trainings``, and what its accuracy says."""

    test: Accuracy | None
    files: list[File]
    refused: dict[Format, str]
    trainings: list[str]


class PredictedClass(TypedDict):
    """A class as a network answers with it: its place among the logits, its name, 0 to 1."""

    number: int
    name: str
    probability: float


class Prediction(TypedDict):
    """What a network answers to a picture: its likeliest classes, best first. ``training_id`` is of the training of its own that answers, None
    where its search has trained it; ``architecture_id`` is None where that search was deleted since."""

    architecture_id: str | None
    training_id: str | None
    classes: list[PredictedClass]


class TrainedNetwork(TypedDict):
    """As much of a network as says which it is: ``name`` None where it has none, ``search`` what the search is called that found it."""

    id: str
    role: str
    name: str | None
    search: str | None
    flops: int


class TrainingSummary(JobSummary):
    """A training as it is listed: one made alone, or part of the search ``search_id``, whose name and labels it has.

    ``network`` is the winner or control of the search, or just ``network``; ``architecture_id`` and ``architecture`` None once its search
    is deleted.
    """

    search_id: str | None
    architecture_id: str | None
    architecture: NotRequired[TrainedNetwork | None]
    network: str
    test_accuracy: float | None
    test: Accuracy | None
    epochs: NotRequired[int | None]


class Training(TrainingSummary):
    """A training with its steps and files, and what the engine reports in ``values``; ``spec`` is None where a search has it."""

    spec: dict[str, Any] | None
    written: NotRequired[dict[str, Any] | None]
    last_event: NotRequired[int]
    warnings: list[str]
    flops: int | None
    params: int | None
    by_class: ByClass | None
    values: dict[str, Any]
    steps: list[Step]
    files: list[File]
    refused: dict[Format, str]


class BestTrial(TypedDict):
    """The best trial of a tuning so far; ``value`` is its accuracy on the held-out images, 0 to 1, ``params`` what it tried."""

    trial: int
    value: float
    params: dict[str, Any]


class TuningSummary(JobSummary):
    """A tuning as it is listed: of so many ``trials``, ``counts`` are in which state."""

    architecture_id: str | None
    trials: int
    counts: dict[str, int]
    best: BestTrial | None


class Tuning(TuningSummary):
    """A tuning with its resolved ``spec``; ``recipe`` is what a training is given to be trained by what has been found.

    ``steps`` are the first fifty that are not done.
    """

    recipe: str
    spec: dict[str, Any]
    written: NotRequired[dict[str, Any]]
    last_event: NotRequired[int]
    warnings: list[str]
    flops: int
    params: int
    steps: list[Step]


class Trial(TypedDict):
    """A trial of a tuning: what it tried (``params``), how its accuracy went (``curve``, by epoch), what came of it."""

    number: int
    state: Literal["queued", "running", "complete", "pruned", "diverged", "failed", "cancelled"]
    params: dict[str, Any] | None
    value: float | None
    log_loss: float | None
    epochs: int
    curve: list[list[float]]
    progress: float
    attempt: int
    device: str | None
    engine_seconds: float
    error: Problem | None
    started_at: str | None
    finished_at: str | None


class PlannedStep(TypedDict):
    """A step of a training as planned."""

    kind: str
    device_seconds: float
    basis: Literal["measured", "default"]


class TrainingEstimate(TypedDict):
    """What a training would take."""

    flops: int
    params: int
    steps: list[PlannedStep]
    device: str
    device_seconds: float
    warnings: list[str]
    recipe: RecipeChoice
    spec: dict[str, Any]


class TuningEstimate(TypedDict):
    """What a tuning would take, where no trial is ended early."""

    trials: int
    images: int
    flops: int
    params: int
    device: str
    trial_seconds: float
    device_seconds: float
    basis: Literal["measured", "default"]
    workers: int
    warnings: list[str]
    spec: dict[str, Any]


class Dataset(TypedDict):
    """Images to search on and to train with. What is counted is None until they were checked."""

    id: str
    name: str
    version: int
    state: Literal["checking", "ready", "rejected"]
    kind: Literal["builtin", "folder", "upload", "timm", "shards"]
    num_classes: int | None
    num_train: int | None
    num_val: int | None
    num_test: int | None
    image_size: int | None
    aspect_ratios: list[float] | None
    white: int
    one_way: bool
    licence: str | None
    class_names: list[str]
    left_out: list[str]
    warnings: list[str]
    fingerprint: str | None
    bytes: NotRequired[int | None]
    progress: float | None
    eta_seconds: float | None
    waiting_for: str | None
    queue_position: NotRequired[int | None]
    error: Problem | None
    created_at: str
    created_by: NotRequired[str | None]
    project: NotRequired[str | None]


class ClassCount(TypedDict):
    """A class, and how many images of it each split has."""

    name: str
    images: dict[str, int]


class Finding(TypedDict):
    """Something that a check has found: of how many it is true, the names of the first few, what to do."""

    code: str
    level: Literal["note", "warning", "error"]
    count: int
    names: list[str]
    text: str


class Bin(TypedDict):
    """Images whose shorter side is at least ``start`` and less than ``end`` pixels."""

    start: int
    end: int
    images: int


class Sizes(TypedDict):
    smallest: int
    median: int
    largest: int
    histogram: list[Bin]


class Report(TypedDict):
    """What the check of a dataset has found; ``classes`` are the first hundred of ``num_classes``."""

    splits: dict[str, int]
    num_classes: NotRequired[int]
    classes: list[ClassCount]
    sizes: Sizes | None
    modes: dict[str, int]
    formats: dict[str, int]
    findings: list[Finding]


class Sample(TypedDict):
    """A picture of a class: a small JPEG at ``url``, a path of the service."""

    name: str
    width: int
    height: int
    url: str


class Recipe(TypedDict):
    """A row of the table of recipes; ``numbers`` are its fields, each of which may be written anew beside its name."""

    name: str
    about: str
    aliases: list[str]
    numbers: dict[str, Any]
    imagenet_epochs: int | None
    default_from: int | None
    default_below: int | None


class RecipeChoice(TypedDict):
    """By which recipe networks are trained, and why by that."""

    name: str
    why: str


class Space(TypedDict):
    """A space that has a name; ``flops`` and ``params`` are the smallest and largest of its networks, ``space`` is what a search takes."""

    name: str
    networks: str
    paths: int
    paths_per_block: list[int]
    reductions: list[int]
    flops: list[int]
    params: list[int]
    space: dict[str, Any]


class TeacherBlock(TypedDict):
    """A stage of a teacher; ``stride`` is its reduction over the stage before."""

    module: str
    channels: int
    reduction: int
    stride: int


class Teacher(TypedDict):
    """A timm model that can supervise, with its blocks, and the ``tags`` of the weights that timm has for it, its own choice first; or
    weights of one that were sent: these have an ``id``, a number of classes and the normalisation of their images.
    """

    name: str
    family: str
    params: int
    pretrained: bool
    tags: list[str]
    blocks: list[TeacherBlock]
    model: str
    id: str | None
    num_classes: int | None
    mean: list[float] | None
    std: list[float] | None
    created_at: str | None
    created_by: NotRequired[str | None]
    project: NotRequired[str | None]


class RunningStep(TypedDict):
    """What a worker is at."""

    id: str
    job_id: str
    key: str
    kind: str
    job_kind: NotRequired[str]
    job_name: NotRequired[str]
    started_at: NotRequired[str | None]


class Worker(TypedDict):
    """A worker that is live."""

    id: str
    hostname: str
    pid: int
    queues: list[str]
    devices: int
    device: str
    device_name: str
    memory_bytes: NotRequired[int | None]
    memory_used_bytes: NotRequired[int | None]
    utilization: NotRequired[float | None]
    redis_answers: NotRequired[bool | None]
    busy: NotRequired[bool]
    versions: dict[str, str]
    step: RunningStep | None
    started_at: str
    last_seen_at: str


class MyKey(TypedDict):
    """Who calls. Without a key, on the machine of the service, ``id``, ``name`` and ``used`` are None, and everything may be done."""

    id: str | None
    name: str | None
    project: str
    scopes: list[str]
    limits: dict[str, float | str | None]
    expires_at: str | None
    used: dict[str, float] | None
    key_needed: bool


class Webhook(TypedDict):
    """A URL that is told what happens. ``secret`` is there when it was made or its secret replaced, and then alone."""

    id: str
    url: str
    events: list[str]
    labels: dict[str, str]
    description: str
    enabled: bool
    disabled_reason: str | None
    failures: int
    previous_until: str | None
    created_at: str
    created_by: NotRequired[str | None]
    project: NotRequired[str | None]
    secret: NotRequired[str]


class Delivery(TypedDict):
    """A message to a webhook, and how its last attempt went; ``state`` is pending, delivered or failed. One read alone has its ``body``."""

    id: str
    event: str
    state: str
    attempt: int
    attempted_at: str | None
    status_code: int | None
    seconds: float | None
    answer: str | None
    error: str | None
    next_at: str | None
    created_at: str
    body: NotRequired[str]
