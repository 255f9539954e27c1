"""Steps, the units of work of a job, and the files between them. Torch-free: the scheduler plans with it, the engine runs it."""

from __future__ import annotations

from collections.abc import Sequence
from enum import StrEnum

from pydantic import BaseModel, ConfigDict, Field

from dna_engine.plans import files
from dna_engine.spec import ResolvedAlone, ResolvedCheck, ResolvedJob, ResolvedNetworks, ResolvedSpec
from dna_engine.spec.tunable import Value


class Kind(StrEnum):
    """Kinds of step."""

    CHECK = "check"
    TEACHER = "teacher"
    DISTILL = "distill"
    LATENCY = "latency"
    RATE = "rate"
    TIME = "time"
    FINALIST = "finalist"
    SELECT = "select"
    TRAIN = "train"
    EXPORT = "export"
    PICTURES = "pictures"
    TRIAL = "trial"


#: Kinds that need no device; they never wait behind training.
CPU_KINDS = frozenset({Kind.CHECK, Kind.SELECT, Kind.EXPORT, Kind.PICTURES})

#: Kinds that open the images of the job's dataset.
IMAGE_KINDS = frozenset(Kind) - {Kind.CHECK, Kind.LATENCY, Kind.TIME, Kind.SELECT}

#: Kinds whose cells are spread over the workers.
SPREAD_KINDS = frozenset({Kind.DISTILL, Kind.RATE})

#: Kinds that write checkpoints: others begin anew.
CHECKPOINTED_KINDS = frozenset({Kind.TEACHER, Kind.DISTILL, Kind.RATE, Kind.FINALIST, Kind.TRAIN, Kind.TRIAL})


#: Of the steps that need no device.
CPU_QUEUE = "cpu"


def device_queue(devices: int) -> str:
    """Of the steps that take so many devices: ``gpu``, ``gpu2`` and so on, whatever the devices are."""
    return "gpu" if devices == 1 else f"gpu{devices}"


def device_queues(devices: int) -> list[str]:
    """Those that a worker takes steps from which has so many devices for each."""
    return [device_queue(count) for count in range(1, devices + 1)]


def devices_of(queue: str) -> int:
    """How many the steps of a queue take; 0: none."""
    return 0 if queue == CPU_QUEUE else int(queue.removeprefix("gpu") or 1)


def devices_offered(queues: Sequence[str]) -> int:
    """The most devices that a worker of these queues has for a step; 0 where it takes none that need one."""
    return max(map(devices_of, queues), default=0)


class Trial(BaseModel):
    """A trial of a tuning, from 1. ``params`` are the fields of the recipe that are its own, once they have been asked for."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    number: int
    params: dict[str, Value] | None = None


class Step(BaseModel):
    """One unit of work: a kind and what it works on.

    Attributes:
        key: unique within a job, e.g. ``distill-1``; also names its checkpoint.
        cells: for distill and rate, the cells, e.g. ``["b1c1", "b2c1"]``.
        network: for train and export, the folder of the network, e.g. ``winner``. The card of an exported network compares it,
            so that the export reads the trainings of all. For a finalist its name, e.g. ``finalist-1``.
        devices: of one machine, on which it is done together.
        trial: of a tuning, which.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    key: str
    kind: Kind
    cells: list[str] = Field(default_factory=list)
    network: str | None = None
    devices: int = Field(default=1, exclude_if=lambda devices: devices == 1)
    trial: Trial | None = Field(default=None, exclude_if=lambda trial: trial is None)

    @property
    def queue(self) -> str:
        return CPU_QUEUE if self.kind in CPU_KINDS else device_queue(self.devices)

    @property
    def checkpoint(self) -> str:
        return files.checkpoint(self.key)

    @property
    def checkpoint_before(self) -> str:
        return files.checkpoint_before(self.key)

    def inputs(self, spec: ResolvedJob) -> list[str]:
        """Names of the files that must lie in the run folder before the step starts."""
        supervisor = [files.TEACHER_WEIGHTS, files.TEACHER]
        match self.kind:
            case Kind.CHECK:
                return [files.SENT] if of_check(spec).kind == "upload" else []
            case Kind.TEACHER:
                given = of_search(spec).teacher.given
                return [files.GIVEN_WEIGHTS, files.GIVEN] if given and given.kind != "folder" else []
            case Kind.DISTILL | Kind.RATE:
                return supervisor + [files.cell_weights(cell) for cell in self.cells if self.kind is Kind.RATE]
            case Kind.TIME:
                return _rated(spec) if isinstance(spec, ResolvedSpec) else []
            case Kind.FINALIST:
                search = of_search(spec)
                return _ranked(search) + [files.cell_weights(cell) for cell in search.parsed_space.cells]
            case Kind.SELECT:
                return _ranked(of_search(spec)) + [files.finalist(name) for name in of_search(spec).finalists]
            case Kind.TRAIN | Kind.TRIAL:
                described = files.of_network(self._folder, files.ARCHITECTURE)
                known = self._folder in of_networks(spec).given
                return [*([] if known else described), *_begun_from(of_networks(spec), self._folder)]
            case Kind.EXPORT:
                own = files.of_network(self._folder, files.ARCHITECTURE, files.WEIGHTS)
                teacher = [files.TEACHER] if isinstance(spec, ResolvedSpec) else []
                return (
                    teacher
                    + own
                    + [name for other in of_networks(spec).networks for name in files.of_network(other, files.TRAINING)]
                )
            case Kind.PICTURES:
                cells = [files.cell_weights(cell) for cell in of_search(spec).parsed_space.cells]
                return [files.METRICS, files.RATINGS, files.SELECTION, *supervisor, *cells]
            case _:
                return []

    def outputs(self, spec: ResolvedJob) -> list[str]:
        """Names of the files the step leaves in the run folder.

        Neither pictures nor an ONNX file are promised: one that cannot be made is no reason to lose the networks; nor what a check
        leaves, which takes no dataset that it refuses. The result tells which there are.
        """
        match self.kind:
            case Kind.TEACHER:
                return [files.TEACHER_WEIGHTS, files.TEACHER]
            case Kind.DISTILL:
                return [files.cell_weights(cell) for cell in self.cells]
            case Kind.LATENCY | Kind.TIME:
                return [files.LATENCY if self.kind is Kind.LATENCY else files.TIMED]
            case Kind.RATE:
                return [files.cell_ratings(cell) for cell in self.cells]
            case Kind.FINALIST:
                return [files.finalist(self._folder)]
            case Kind.SELECT:
                chosen = [
                    name
                    for network in of_networks(spec).networks
                    for name in files.of_network(network, files.ARCHITECTURE)
                ]
                return [files.RATINGS, files.SELECTION, *chosen]
            case Kind.TRAIN:
                trained = files.of_network(self._folder, files.WEIGHTS, files.TRAINING)
                return (
                    [*files.of_network(self._folder, files.ARCHITECTURE), *trained]
                    if self._folder in of_networks(spec).given
                    else trained
                )
            case Kind.EXPORT:
                return files.of_network(self._folder, files.EXPORT, files.BUNDLE)
            case Kind.CHECK | Kind.PICTURES | Kind.TRIAL:
                return []

    @property
    def _folder(self) -> str:
        assert self.network is not None
        return self.network


class Order(BaseModel):
    """What ``python -m dna_engine serve`` is told to do next: a step, and the run folder that holds its inputs."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    run: str
    step: Step


def of_search(spec: ResolvedJob) -> ResolvedSpec:
    """The spec, where a kind of step is in no other plan than a search's."""
    assert isinstance(spec, ResolvedSpec)
    return spec


def of_check(spec: ResolvedJob) -> ResolvedCheck:
    """The same of a check."""
    assert isinstance(spec, ResolvedCheck)
    return spec


def of_networks(spec: ResolvedJob) -> ResolvedNetworks:
    """The same of any job that trains networks."""
    assert isinstance(spec, ResolvedNetworks)
    return spec


def _begun_from(job: ResolvedNetworks, network: str) -> list[str]:
    """What the training of a network takes of others: cells whose weights it inherits, those of another training, the teacher."""
    inherits = job.start_of(network) == "inherited"
    cells = [files.cell_weights(cell) for cell in job.inherited_from] if inherits else []
    taught = job.recipe_of_networks.distill or (inherits and job.head_from_teacher)
    begun = [files.START] if isinstance(job, ResolvedAlone) and job.transferred else []
    return [*cells, *begun, *([files.TEACHER_WEIGHTS, files.TEACHER] if taught else [])]


def _ranked(search: ResolvedSpec) -> list[str]:
    """What a selection is made from."""
    return [*_rated(search), *([files.TIMED] if search.times_networks else [])]


def _rated(search: ResolvedSpec) -> list[str]:
    """What is known of the space."""
    ratings = [files.cell_ratings(cell) for cell in search.parsed_space.cells]
    return ratings if search.budget.latency_ms is None else [*ratings, files.LATENCY]
