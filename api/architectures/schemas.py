"""What goes out of the routes of architectures."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum
from typing import Annotated, Literal
from uuid import UUID

from fastapi import Query
from pydantic import AfterValidator, BaseModel, ConfigDict, Field

from api.jobs.schemas import Failure
from dna_engine.accuracy import Accuracy
from dna_engine.fields import Written
from dna_engine.plans.results import Timed
from dna_engine.space.architecture import PUBLISHED
from dna_engine.space.document import AnyNetworkJson, GivenJson
from dna_engine.space.layers import Stage
from dna_engine.spec.parts import Text
from store.states import JobState, Role


class Format(StrEnum):
    """What a network can be downloaded as; `triton` is a model repository as a zip, `bundle` a zip of all else."""

    JSON = "json"
    SAFETENSORS = "safetensors"
    ONNX = "onnx"
    ONNX_INT8 = "onnx-int8"
    TRITON = "triton"
    BUNDLE = "bundle"


#: What a download asks for.
FormatQuery = Annotated[Format, Query(description="What to download the network as.")]


class Latency(Timed):
    """How long one picture took onnxruntime, on one thread of a CPU."""

    device: str | None = Field(
        description="The CPU it was measured on, by its maker's name; null where that is not known."
    )


class File(BaseModel):
    """A file that can be downloaded, and what was measured of it when it was exported, where it was."""

    format: Format = Field(description="What `format` of the download it is.")
    size: int = Field(description="Bytes.")
    sha256: str = Field(description="Of the file, in hexadecimal; its `ETag` when it is downloaded.")
    accuracy: float | None = Field(
        default=None, description="On up to 1,024 test images, of every class its share; of formats that were compared."
    )
    latency: Latency | None = Field(default=None, description="Of `onnx` and `onnx-int8`.")
    largest_difference: float | None = Field(
        default=None, description="The largest of any logit to the trained network's, on those images."
    )
    same_answers: float | None = Field(
        default=None, description="Share of those images, 0 to 1, that it answers as the trained network does."
    )


def _is_free(name: str) -> str:
    if not name.strip():
        raise ValueError("a name of spaces alone cannot be read")
    if (published := name.strip().lower()) in PUBLISHED:
        raise ValueError(f"{published} is the name of a published network")
    return name


#: What people may call a network.
NetworkName = Annotated[Text, Field(min_length=1), AfterValidator(_is_free)]


class ArchitectureIn(Written):
    """A network that no search of this service has found."""

    architecture: Text | GivenJson = Field(
        description="The name of a published network (dna-a, dna-b, dna-c or dna-d), or the JSON of a network as it is downloaded."
    )
    name: NetworkName | None = Field(default=None, description="What to call it; a published one has its own name.")


class ArchitecturePatch(Written):
    """A merge patch (RFC 7396) of a network: what is left out stays."""

    name: NetworkName | None = Field(default=None, description="What to call it; null takes its name away.")


class ArchitectureSummary(BaseModel):
    """A network as it is listed."""

    model_config = ConfigDict(from_attributes=True)

    id: UUID = Field(description="Of the network, UUIDv7.")
    search_id: UUID | None = Field(description="The search that found or trained it; null for one that was given.")
    role: Role = Field(description="Why it is kept.")
    name: str | None = Field(
        description="Of a standard network, the model of timm; of any other, what it is called by `PATCH`, or was as it was given or kept; "
        "null of one without a name."
    )
    search: str | None = Field(default=None, description="What its search is called; null where it is of none.")
    architecture: AnyNetworkJson = Field(description="What timm builds it from.")
    loss: float | None = Field(description="Predicted loss: the ratings of its blocks, summed.")
    flops: int = Field(description="Multiply-adds at batch 1, by formula.")
    params: int = Field(description="Trainable parameters, by formula.")
    latency_ns: int | None = Field(
        description="Nanoseconds for one picture, as its search measured; null where it measured none."
    )
    counted_flops: int | None = Field(description="As counted on the network built; known when it is trained.")
    counted_params: int | None = Field(description="As counted on the network built; known when it is trained.")
    test_accuracy: float | None = Field(
        description="Share of the test images that it classifies correctly, 0 to 1, as its search has trained it; where that has not, the best of its "
        "own trainings on the images of that search, the same version of the dataset; of a network without a search, the newest of its trainings. "
        "Null until then, and again when the last such training is deleted."
    )
    test_dataset: str | None = Field(
        default=None, description="Name of the dataset whose test images those are; null without an accuracy."
    )
    test_training_id: UUID | None = Field(
        default=None, description="The training whose accuracy that is; null without one."
    )
    created_at: datetime = Field(description="When it was kept.")
    created_by: str | None = Field(
        default=None, description="Name of the key that asked for it; null where that was done without a key."
    )
    project: str | None = Field(
        default=None, description="Name of the project that it is of; null of what ships with the service."
    )


class LayerOut(BaseModel):
    """A layer of a network: what it does, on which maps, and what it costs."""

    model_config = ConfigDict(from_attributes=True)

    number: int = Field(description="From 1, through the network.")
    stage: Stage = Field(description="Where it stands.")
    block: int | None = Field(description="Its block, from 1; null in stem and head.")
    cell: int | None = Field(description="The cell that was chosen in the block, from 1; null in stem and head.")
    layer: int | None = Field(description="Its place in the block, from 1; null in stem and head.")
    op: str = Field(description="Its name in the space; `conv` or `linear` of what is the same in all networks.")
    kind: Literal["mbconv", "fused", "universal", "separable", "conv", "skip", "linear"] = Field(
        description="The kind of layer that the op is; `skip` is the identity."
    )
    description: str = Field(
        description="Its convolutions in the order in which they run, such as `1x1 to 96, depthwise 5x5, squeeze-excite 4, 1x1 to 24`."
    )
    kernel: int | None = Field(description="Side of its largest convolution; null where it has none.")
    expansion: float | None = Field(description="Inner channels over those that arrive; null of kinds without.")
    squeeze_channels: int = Field(description="That squeeze-excite squeezes to; 0 without.")
    in_channels: int = Field(description="That arrive.")
    out_channels: int = Field(description="That leave.")
    stride: int = Field(description="1, or 2 where it halves the map.")
    input_size: int = Field(description="Side of the map that arrives, pixels.")
    output_size: int = Field(description="Side of the map that leaves, pixels; 1 behind the pooling.")
    skip: bool = Field(
        description="Whether what arrives is added to what it computes; of the kind `skip`, it is all that leaves."
    )
    flops: int = Field(description="Multiply-adds at batch 1.")
    params: int = Field(description="Trainable parameters.")


class LayersOut(BaseModel):
    """A network layer by layer. What the layers cost adds up to what the network costs."""

    input_size: int = Field(description="Side of the picture, pixels.")
    items: list[LayerOut] = Field(description="From the picture to the classes.")
    flops: int = Field(description="Multiply-adds of the whole at batch 1.")
    params: int = Field(description="Trainable parameters of the whole.")


class TimingOut(BaseModel):
    """How long a network takes whole, one picture at a time, once a worker has timed it."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "id": "0199d3f0-5a34-7c1e-b6a8-0d6f6f3f7a10",
                    "state": "succeeded",
                    "device": "NVIDIA H100 80GB HBM3",
                    "cpu": "AMD EPYC 9554 64-Core Processor",
                    "threads": 2,
                    "torch": {"median_ms": 3.41, "p95_ms": 3.62, "runs": 100},
                    "onnxruntime": {"median_ms": 4.08, "p95_ms": 4.4, "runs": 50},
                    "torch_version": "2.14.1",
                    "onnxruntime_version": "1.32.0",
                    "error": None,
                    "created_at": "2026-11-26T15:00:00Z",
                }
            ]
        }
    )

    id: UUID = Field(description="Of the timing, UUIDv7.")
    state: JobState = Field(description="Of the job that times it.")
    waiting_for: str | None = Field(default=None, description="What holds it up while it does not run.")
    queue_position: int | None = Field(
        default=None, description="Its place while it waits, 1 for the next of its queue."
    )
    warnings: list[str] = Field(default=[], description="That no worker is live which could time it.")
    device: str | None = Field(description="On which torch ran it, by its maker's name.")
    cpu: str | None = Field(description="On which onnxruntime ran it, and torch where there is no other device.")
    threads: int | None = Field(description="Of both on the CPU.")
    torch: Timed | None = Field(description="By torch on `device`; null until it was timed, as all figures.")
    onnxruntime: Timed | None = Field(description="Null too where ONNX does not express the network.")
    torch_version: str | None = Field(description="Of the worker that timed it.")
    onnxruntime_version: str | None = Field(description="Of the worker that timed it.")
    error: Failure | None = Field(description="Why it failed; null otherwise.")
    created_at: datetime = Field(description="When it was asked for.")
    created_by: str | None = Field(
        default=None, description="Name of the key that asked for it; null where that was done without a key."
    )
    project: str | None = Field(
        default=None, description="Name of the project that it is of; null of what ships with the service."
    )


class ClassOut(BaseModel):
    """A class as a network answers with it."""

    number: int = Field(description="Place of the class among the logits.")
    name: str = Field(description="Of the class, as its dataset calls it.")
    probability: float = Field(description="0 to 1.")


class PredictionOut(BaseModel):
    """What a network answers to a picture."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "architecture_id": "0199d3f0-5a34-7c1e-b6a8-0d6f6f3f7a10",
                    "classes": [
                        {"number": 1, "name": "wren", "probability": 0.9731},
                        {"number": 0, "name": "owl", "probability": 0.0269},
                    ],
                }
            ]
        }
    )

    architecture_id: UUID | None = Field(
        description="Of the network that answers; null of a training whose network was deleted since."
    )
    training_id: UUID | None = Field(
        default=None,
        description="The training that answers: the one asked or, of a network that no search has trained, the newest of its own; null where the "
        "network answers as its search has trained it.",
    )
    classes: list[ClassOut] = Field(description="The likeliest, best first; of all classes the probabilities sum to 1.")


#: Trainings that an answer on a network names.
TRAININGS_SHOWN = 200


class ArchitectureOut(ArchitectureSummary):
    """A network, with its files."""

    test: Accuracy | None = Field(description="What `test_accuracy` says; known when it is trained.")
    files: list[File] = Field(description="What can be downloaded, none until it is exported but `json`.")
    refused: dict[Format, str] = Field(description="Formats that its export has refused to offer, and why.")
    trainings: list[UUID] = Field(
        description=f"Ids of its first {TRAININGS_SHOWN} trainings; `GET /trainings?architecture=` has every one on pages."
    )
