"""The steps of a search and the files between them. Torch-free: the scheduler plans with it, the engine runs it.

Everything a step needs and makes lies in one *run folder* under fixed names, so a step runs anywhere its inputs have
been laid down, and a search without a service is the same steps in one folder::

    spec.json                     the resolved spec
    teacher.safetensors .json     weights of the backbone and head; accuracy and blocks
    cells/b1c1.safetensors        a trained cell supernet
    ratings/b1c1.json             its ratings
    latency.json                  measured by the first rate step, where the budget limits latency
    ratings.json                  all of them, the documented ratings file
    selection.json                frontier, winner, control
    winner/ control/              architecture.json, weights.safetensors, training.json
    winner/export.json, bundle.zip
    winner/model.onnx             where ONNX expresses the network
    pictures/loss.svg, features.svg, frontier.svg
    checkpoints/KEY.safetensors   where an interrupted step goes on from; KEY.before.safetensors: the one it replaced
    metrics.jsonl                 series of losses and accuracies; in a service the worker lays them down
"""

from __future__ import annotations

from collections.abc import Sequence
from enum import StrEnum

from pydantic import BaseModel, ConfigDict, Field

from dna_engine.space import CellRef
from dna_engine.spec import ResolvedSpec


class Kind(StrEnum):
    """Kinds of step, in the order of the phases of a search."""

    TEACHER = "teacher"
    DISTILL = "distill"
    RATE = "rate"
    SELECT = "select"
    TRAIN = "train"
    EXPORT = "export"


LATENCY = "latency.json"
#: Metric events, one a line.
METRICS = "metrics.jsonl"
#: Files of the pictures that the last step draws, by name.
PICTURES = {name: f"pictures/{name}.svg" for name in ("loss", "features", "frontier")}

#: Kinds that need no device; they never wait behind training.
CPU_KINDS = frozenset({Kind.SELECT, Kind.EXPORT})


class Step(BaseModel):
    """One unit of work: a kind and what it works on.

    Attributes:
        key: unique within a search, e.g. ``distill-1``; also names its checkpoint.
        cells: for distill and rate, the cells, e.g. ``["b1c1", "b2c1"]``.
        network: for train and export, the folder of the network, e.g. ``winner``; an export without one draws the pictures.
            The card of an exported network compares it, so that the export reads the trainings of all.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    key: str
    kind: Kind
    cells: list[str] = Field(default_factory=list)
    network: str | None = None

    @property
    def queue(self) -> str:
        return "cpu" if self.kind in CPU_KINDS else "gpu"

    @property
    def checkpoint(self) -> str:
        return f"checkpoints/{self.key}.safetensors"

    @property
    def checkpoint_before(self) -> str:
        """The one that it replaced, for when it is damaged."""
        return f"checkpoints/{self.key}.before.safetensors"

    def inputs(self, spec: ResolvedSpec) -> list[str]:
        """Names of the files that must lie in the run folder before the step starts."""
        teacher = ["teacher.safetensors", "teacher.json"]
        match self.kind:
            case Kind.TEACHER:
                return []
            case Kind.DISTILL:
                return teacher
            case Kind.RATE:
                return teacher + [f"cells/{cell}.safetensors" for cell in self.cells]
            case Kind.SELECT:
                ratings = [f"ratings/{cell}.json" for cell in spec.parsed_space.cells]
                return ratings if spec.budget.latency_ms is None else [*ratings, LATENCY]
            case Kind.TRAIN:
                return [f"{self.network}/architecture.json"]
            case Kind.EXPORT if self.network is None:
                cells = [f"cells/{cell}.safetensors" for cell in spec.parsed_space.cells]
                return [METRICS, "ratings.json", "selection.json", *teacher, *cells]
            case Kind.EXPORT:
                own = [f"{self.network}/{name}" for name in ("architecture.json", "weights.safetensors")]
                return [*own, *(f"{name}/training.json" for name in networks(spec))]

    def outputs(self, spec: ResolvedSpec) -> list[str]:
        """Names of the files the step leaves in the run folder.

        Neither pictures nor an ONNX file are promised: one that cannot be made is no reason to lose the networks. The result
        tells which there are.
        """
        match self.kind:
            case Kind.TEACHER:
                return ["teacher.safetensors", "teacher.json"]
            case Kind.DISTILL:
                return [f"cells/{cell}.safetensors" for cell in self.cells]
            case Kind.RATE:
                ratings = [f"ratings/{cell}.json" for cell in self.cells]
                measures = spec.budget.latency_ms is not None and self.key == "rate-1"
                return [*ratings, LATENCY] if measures else ratings
            case Kind.SELECT:
                return ["ratings.json", "selection.json", *(f"{name}/architecture.json" for name in networks(spec))]
            case Kind.TRAIN:
                return [f"{self.network}/weights.safetensors", f"{self.network}/training.json"]
            case Kind.EXPORT if self.network is None:
                return []
            case Kind.EXPORT:
                return [f"{self.network}/{name}" for name in ("export.json", "bundle.zip")]


class Order(BaseModel):
    """What ``python -m dna_engine serve`` is told to do next: a step, and the run folder that holds its inputs."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    run: str
    step: Step


def networks(spec: ResolvedSpec) -> list[str]:
    """The networks that the search trains, each by its folder in the run folder."""
    return ["winner", "control"] if spec.retrain.control else ["winner"]


def phase_steps(kind: Kind, spec: ResolvedSpec, groups: Sequence[Sequence[CellRef]]) -> list[Step]:
    """The steps of one phase; distillation and rating have one for each group of cells."""
    match kind:
        case Kind.DISTILL | Kind.RATE:
            return [
                Step(key=f"{kind}-{n}", kind=kind, cells=[str(cell) for cell in group])
                for n, group in enumerate(groups, start=1)
            ]
        case Kind.TRAIN:
            return [Step(key=f"{kind}-{name}", kind=kind, network=name) for name in networks(spec)]
        case Kind.EXPORT:
            exports = [Step(key=f"{kind}-{name}", kind=kind, network=name) for name in networks(spec)]
            return [*exports, Step(key=f"{kind}-pictures", kind=kind)]
        case _:
            return [Step(key=str(kind), kind=kind)]
