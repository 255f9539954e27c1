"""The model card of an exported network: what it is, what was measured, and how to run it without this project."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from dna_engine.accuracy import warning
from dna_engine.export.onnx_file import OLDEST_RUNTIME
from dna_engine.export.snippets import LOAD_WITH_TIMM, PREPARE, RUN_WITH_ONNXRUNTIME, pinned, prepare_shortly
from dna_engine.images.info import DatasetInfo
from dna_engine.images.pictures.pixels import PLAIN
from dna_engine.plans.results import Exported, Trained, beside_references, comparison

_ONNX = """\
## Run the ONNX file

Input `images`, float32 (N, 3, {size}, {size}) with any N; output `logits`, float32 (N, {classes}). Opset {opset}, IR version
{ir_version}: read by onnxruntime from {oldest} on, the oldest that was tried.

```console
{install}
```

```python
{run}```

"""

_CARD = """\
# {title}

An image classifier. Its architecture was found by blockwise architecture search (DNA, Li et al. 2020); it was trained on
{dataset}, {start}.

| | |
|---|---|
{figures}

{words}## Intended use

It says which of its {count} classes a picture shows, for pictures like those it was tested on: the test images of {dataset}. It names one
of them for every picture, for one that shows none of them too. Nothing was tested beyond those images: try it on your own before you
rely on it, and let no decision that harms somebody when it is wrong depend on it alone.

Classes, in the order of the logits: {classes}.

## Data

{data}

## Prepare a picture

An ordinary photo (8 bits a channel, nothing transparent):

```python
{shortly}```

`prepare.py` lies beside this card, needs Pillow and numpy alone, and prepares pictures of every kind as this network was trained on them:

```python
{prepare}```

It takes the first frame, turned as its EXIF orientation says, as 8 bits of red, green and blue, what is transparent on {background}, grey
of 16 bits scaled from 0 to {white:,}; {fit} of {resize} x {resize} pixels
({interpolation}), of which the middle {size} x {size} are taken; each channel is `(x / 255 - mean) / std` with mean {mean} and
std {std}. The number of the largest logit names the class.

{onnx}## Load it with timm

```console
{install}
```

```python
{load}```

## Trained with

{recipe}; seed {seed}.{teacher}
"""


_FITS = {
    "crop": "the largest square in its middle resized to one",
    "pad": "the whole with the background beside it resized to a square",
    "squash": "the whole, its sides made equal, resized to a square",
}


def write_card(
    title: str,
    name: str,
    preprocessing: Mapping[str, Any],
    trainings: Mapping[str, Trained],
    export: Exported,
    dataset: DatasetInfo,
    teacher: Mapping[str, Any] | None = None,
) -> str:
    """The card as Markdown, from what the train and export steps have found.

    Args:
        name: of the network, by its folder.
        trainings: by the names of the networks of the job: of a search ``winner`` and, where there are such, ``control`` and standard ones.
        teacher: of a search, what ``teacher.json`` holds.
    """
    training = trainings[name]
    rows = [*_accuracy_rows(training), *_cost_rows(export), *_onnx_rows(export)]
    classes = [f"{number} {label}" for number, label in enumerate(preprocessing["classes"])]
    return _CARD.format(
        title=title,
        dataset=dataset.name,
        start=_start(training),
        figures="\n".join(f"| {what} | {figure} |" for what, figure in rows),
        words="".join(f"{line}\n\n" for line in _words(name, trainings)),
        count=dataset.num_classes,
        data=_data(dataset),
        load=LOAD_WITH_TIMM,
        install=pinned("torch", "timm", "safetensors"),
        onnx="" if export.warning else _onnx(preprocessing["size"], dataset.num_classes, export),
        prepare=PREPARE,
        shortly=prepare_shortly(preprocessing),
        background=preprocessing.get("background", PLAIN.background),
        white=preprocessing.get("white", PLAIN.white),
        fit=_FITS[preprocessing.get("fit", PLAIN.fit)],
        resize=preprocessing["resize"],
        size=preprocessing["size"],
        interpolation=preprocessing["interpolation"],
        mean=preprocessing["mean"],
        std=preprocessing["std"],
        classes=", ".join(classes) or "they are numbered in the order of the class folders",
        recipe=_recipe(training),
        seed=training.seed,
        teacher=f" The search followed the teacher {_teacher(teacher)}." if teacher else "",
    )


def _start(training: Trained) -> str:
    began = {
        "scratch": "from scratch",
        "inherited": "beginning with the weights of its distilled blocks",
        "transferred": f"beginning with the weights that it was trained to on {training.transferred_from}",
    }[training.start]
    taught = " and beside the labels from the answers of its teacher" if training.recipe.get("teacher_weight") else ""
    return f"{began}{taught}"


def _recipe(training: Trained) -> str:
    """Its numbers; what is off goes without saying."""
    said = ", ".join(f"{key} {value}" for key, value in training.recipe.items() if value not in (None, False, 0))
    if training.early_stopping is None:
        return said
    stopped = training.early_stopping
    return (
        f"{said}; of {stopped.epoch:g} epochs the weights are those of epoch {stopped.best_epoch:g}, which answered {stopped.images:,} images best "
        "that were held out"
    )


def _teacher(about: Mapping[str, Any]) -> str:
    """The model, and which weights it had; early versions kept only the name."""
    weights = {"train": "trained on the same images", "finetune": "trained further on the same images"}
    said = [weights.get(about["weights"], ""), f"weights {about['hub']}" if about.get("hub") else ""]
    said.append(f"revision {about['revision']}" if about.get("revision") else "")
    details = ", ".join(filter(None, said))
    return f"{about['model']} ({details})" if details else str(about["model"])


def _accuracy_rows(training: Trained) -> Iterator[tuple[str, str]]:
    test = training.test
    if test is None:
        yield "test accuracy", f"{training.test_accuracy:.2%}"
    else:
        low, high = test.interval
        yield "test accuracy", f"{test.accuracy:.2%} of {test.images:,} images (95% interval {low:.1%} to {high:.1%})"
        yield "balanced accuracy, the mean over the classes", f"{test.balanced_accuracy:.2%}"
        yield "guessing a class, and always the commonest", f"{test.chance:.2%}, and {test.majority:.2%}"
    yield "test log-loss", f"{training.test_loss:.4f}"
    if test is not None and test.calibration_error is not None:
        yield "expected calibration error (15 bins)", f"{test.calibration_error:.2%}"
    if training.by_class is not None:
        least = training.by_class.recalls[0]
        yield "the class that is recognised least", f"{least.name}: {least.right:,} of {least.images:,} images"


def _cost_rows(export: Exported) -> Iterator[tuple[str, str]]:
    yield "multiply-adds of convolutions and linear layers", f"{export.counted.flops:,}"
    yield "parameters", f"{export.counted.params:,}"


def _onnx_rows(export: Exported) -> Iterator[tuple[str, str]]:
    if export.warning:
        yield "ONNX file", f"there is none: {export.warning}"
        return
    yield (
        "the ONNX file's logits differ from the trained network's by at most",
        f"{export.relative_difference['onnx']:.1e} of their spread on {export.images:,} test images, "
        f"{export.same_answers['onnx']:.2%} of the answers are the same",
    )
    yield f"one picture by onnxruntime on one thread of {export.device}", _of_file("onnx", export)
    if export.no_int8:
        yield "ONNX file in 8 bits", f"there is none: {export.no_int8}"
        return
    yield (
        "the same in 8 bits, `model.int8.onnx`",
        f"{_of_file('onnx-int8', export)}; accuracy {export.accuracy['onnx-int8']:.2%} beside {export.accuracy['onnx']:.2%} on "
        f"{export.images:,} test images, {export.same_answers['onnx-int8']:.2%} of the answers are the same",
    )


def _of_file(name: str, export: Exported) -> str:
    took = export.latency[name]
    return f"{took.median_ms:.2f} ms (median; 95% within {took.p95_ms:.2f} ms), {export.size[name]:,} bytes"


def _onnx(size: int, classes: int, export: Exported) -> str:
    return _ONNX.format(
        size=size,
        classes=classes,
        opset=export.opset,
        ir_version=export.ir_version,
        oldest=OLDEST_RUNTIME,
        install=pinned("onnxruntime", "numpy", "pillow"),
        run=RUN_WITH_ONNXRUNTIME,
    )


def _data(dataset: DatasetInfo) -> str:
    """Where the images come from, how many there are, and what may be done with them."""
    decided = f", {dataset.num_val:,} to decide by" if dataset.num_val else ""
    return (
        f"{dataset.name}: {dataset.num_train:,} images to train with{decided} and {dataset.num_test:,} to test with, "
        f"of {dataset.num_classes:,} classes. {_licence(dataset)}"
    )


def _licence(dataset: DatasetInfo) -> str:
    """One line, whatever was sent."""
    said = " ".join((dataset.licence or "").split())
    return (
        f"Their licence: {said}."
        if said
        else "Nothing was said of their licence: ask who made them before you pass the network on."
    )


def _words(name: str, trainings: Mapping[str, Trained]) -> Iterator[str]:
    """What a reader must know before anything else, and what the search was worth."""
    test, compared = trainings[name].test, comparison(trainings)
    if test is not None and (said := warning(name, test)):
        yield f"**{said}**"
    if compared is not None:
        yield (
            f"{compared.says} The control is a network drawn at random from the space, of the winner's cost and trained by "
            "the same recipe."
        )
    if name == "winner":
        yield from (beside.says for beside in beside_references(trainings))
