"""Names of the files in a *run folder*. Torch-free.

Everything a step needs and makes lies in one folder under fixed names, so a step runs anywhere its inputs have been laid down,
and a search without a service is the same steps in one folder::

    spec.json                     the resolved spec
    sent images.tar samples.zip   of the check of a dataset: what was sent, what is kept of it, a few pictures of each class
    given.safetensors .json       of the teacher that it begins with, where one was there before
    start.safetensors             weights that a training begins with, where another has left them
    teacher.safetensors .json     weights of the backbone and head; accuracy and blocks
    cells/b1c1.safetensors        a trained cell supernet
    ratings/b1c1.json             its ratings
    latency.json                  measured layers, where the budget limits latency
    timed.json                    networks that were timed whole, where it does
    ratings.json                  all ratings, the documented ratings file
    finalists/finalist-1.json     a network that was looked at whole
    selection.json                frontier, winner, control, the finalists in their order
    winner/ control/ network/     a network: architecture.json, weights.safetensors, training.json, export.json, bundle.zip,
                                  and model.onnx where ONNX expresses it, with model.triton.zip, and model.int8.onnx where 8 bits do
                                  and confusion.json, confusion.svg: which test images it takes for which class
    pictures/loss.svg, features.svg, frontier.svg
    checkpoints/KEY.safetensors   where an interrupted step goes on from; KEY.before.safetensors: the one it replaced
    metrics.jsonl                 series of losses and accuracies; in a service the worker lays them down
"""

from __future__ import annotations

from dna_engine.space import CellRef

SPEC = "spec.json"
#: Of the check of a dataset: the archive as it was sent; the images as they are kept, or an index of them; a few pictures of each class.
SENT, IMAGES, SAMPLES = "sent", "images.tar", "samples.zip"
TEACHER_WEIGHTS, TEACHER = "teacher.safetensors", "teacher.json"
#: The same of a teacher that there was before the search.
GIVEN_WEIGHTS, GIVEN = "given.safetensors", "given.json"
#: The weights of another training that a training begins with.
START = "start.safetensors"
LATENCY, TIMED = "latency.json", "timed.json"
RATINGS = "ratings.json"
SELECTION = "selection.json"
#: Metric events, one a line.
METRICS = "metrics.jsonl"
#: Pictures by name.
PICTURES = {name: f"pictures/{name}.svg" for name in ("loss", "features", "frontier")}

#: In the folder of a network.
ARCHITECTURE, WEIGHTS, TRAINING = "architecture.json", "weights.safetensors", "training.json"
#: Left by a training, promised by none: early versions had neither.
CONFUSION, CONFUSION_PICTURE = "confusion.json", "confusion.svg"
EXPORT, ONNX, BUNDLE = "export.json", "model.onnx", "bundle.zip"
#: Made of the ONNX file: the same in 8 bits, and a model repository of Triton.
ONNX_INT8, TRITON = "model.int8.onnx", "model.triton.zip"

#: The folders of trained supernets, and of what interrupted steps go on from.
CELLS, CHECKPOINTS = "cells/", "checkpoints/"


def cell_weights(cell: CellRef | str) -> str:
    """The trained supernet of a cell."""
    return f"{CELLS}{cell}.safetensors"


def cell_ratings(cell: CellRef | str) -> str:
    """The ratings of a cell's paths."""
    return f"ratings/{cell}.json"


def finalist(name: str) -> str:
    """What came of a network that was looked at whole."""
    return f"finalists/{name}.json"


def of_network(network: str, *names: str) -> list[str]:
    """Files of a network by their names in its folder."""
    return [f"{network}/{name}" for name in names]


def checkpoint(key: str) -> str:
    """Where the step of that key goes on from."""
    return f"{CHECKPOINTS}{key}.safetensors"


def checkpoint_before(key: str) -> str:
    """The one that it replaced, for when it is damaged."""
    return f"{CHECKPOINTS}{key}.before.safetensors"
