"""What the service chose for a job where its maker left it open, in words."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from dna_client.cli.output import many
from dna_client.models import JobKind


def chosen(written: Mapping[str, Any], resolved: Mapping[str, Any], kind: JobKind = "search") -> list[tuple[str, str]]:
    """What was chosen, and for what.

    Args:
        written: the spec as it was sent.
        resolved: the same with every default filled in, as the service answers.
    """
    parts = {"search": _of_search, "training": _of_training, "tuning": _of_tuning}[kind]
    return [(what, ", ".join(said)) for what, *said in parts(written, resolved) if said]


def _of_search(written: Mapping[str, Any], resolved: Mapping[str, Any]) -> Iterator[list[str]]:
    teacher, training, retrain = (_open(written.get(part)) for part in ("teacher", "training", "retrain"))
    yield from _input_size(written, resolved)
    yield ["teacher", *_teacher(teacher, resolved["teacher"])]
    if written.get("space") is None:
        yield ["space", resolved["space"].get("name") or "derived from the teacher"]
    yield ["distillation", *_epochs(training, resolved["training"])]
    if (count := resolved.get("select", {}).get("finalists")) and "finalists" not in _open(written.get("select")):
        yield ["finalists", str(count)]
    yield [
        "training",
        *_begun(retrain, resolved["retrain"]),
        *_recipe(retrain, resolved["retrain"]),
        *_epochs(retrain, resolved["retrain"]),
        *_rate(retrain, resolved["retrain"]),
    ]
    yield from _resize(written, resolved)
    yield from _flip(written, resolved)
    if not _open(written.get("budget")):
        limits = {name: limit for name, limit in resolved["budget"].items() if limit is not None}
        yield ["budget", *(f"at most {limit:,} {name}" for name, limit in limits.items())]


def _of_training(written: Mapping[str, Any], resolved: Mapping[str, Any]) -> Iterator[list[str]]:
    written = _open(written)
    yield from _input_size(written, resolved)
    yield from _start(resolved)
    yield [
        "training",
        *_recipe(written, resolved),
        *_epochs(written, resolved),
        *_batch(written, resolved),
        *_rate(written, resolved),
    ]
    yield from _resize(written, resolved)
    yield from _flip(written, resolved)


def _of_tuning(written: Mapping[str, Any], resolved: Mapping[str, Any]) -> Iterator[list[str]]:
    written = _open(written)
    yield from _input_size(written, resolved)
    trials = [] if "trials" in written else [str(resolved["trials"])]
    yield ["trials", *trials, *_epochs(written, resolved)]
    if isinstance(written.get("search", ""), str):
        yield ["search", *(f"{name} {values(parameter)}" for name, parameter in resolved["search"].items())]
    if "images" not in written:
        yield ["held out", f"{resolved['images']:,} images"]
    yield from _resize(written, resolved)
    yield from _flip(written, resolved)


def values(parameter: Mapping[str, Any]) -> str:
    """What is tried of a field, in words."""
    if "choices" in parameter:
        return " or ".join(map(str, parameter["choices"]))
    return f"{parameter['low']:g} to {parameter['high']:g}{' (log)' if parameter['log'] else ''}"


def _start(resolved: Mapping[str, Any]) -> Iterator[list[str]]:
    """What becomes of the classifier, where the weights are those of another training."""
    if taken := resolved.get("transferred"):
        yield ["classifier", "kept, the classes are the same" if taken["keeps_head"] else "new"]


def _input_size(written: Mapping[str, Any], resolved: Mapping[str, Any]) -> Iterator[list[str]]:
    if written.get("input_size") is None:
        yield ["input size", f"{resolved['input_size']} pixels"]


def _flip(written: Mapping[str, Any], resolved: Mapping[str, Any]) -> Iterator[list[str]]:
    if written.get("flip") is None and not resolved.get("flip", True):
        yield ["augmentation", "left and right are never exchanged"]


def _resize(written: Mapping[str, Any], resolved: Mapping[str, Any]) -> Iterator[list[str]]:
    """Where most pictures are no squares, and squares cut out of them would lose much."""
    ways = {"pad": "padded to squares", "squash": "squashed to squares"}
    if written.get("resize") is None and resolved.get("resize") in ways:
        yield ["pictures", ways[resolved["resize"]]]


def _open(part: Any) -> Mapping[str, Any]:
    """What was written of a part, without what was left open in it."""
    return {name: value for name, value in part.items() if value is not None} if isinstance(part, Mapping) else {}


def _teacher(written: Mapping[str, Any], resolved: Mapping[str, Any]) -> list[str]:
    said = [] if "model" in written else [str(resolved["model"])]
    trained = resolved["weights"] in ("train", "finetune")
    if "weights" not in written and not resolved.get("given"):
        said.append("trained on the dataset" if resolved["weights"] == "train" else f"{resolved['weights']} weights")
    if trained and "epochs" not in written:
        said.append(many(resolved["epochs"], "epoch"))
    return said


def _begun(written: Mapping[str, Any], resolved: Mapping[str, Any]) -> list[str]:
    """How winner and control begin, and from what they learn beside the labels."""
    said = ["from the distilled blocks"] if "start" not in written and resolved.get("start") == "inherited" else []
    if "distill" not in written and resolved.get("distill"):
        said.append("by the teacher's answers too")
    return said


def _recipe(written: Mapping[str, Any], resolved: Mapping[str, Any]) -> list[str]:
    return [f"by {resolved['recipe']}"] if "recipe" not in written and "recipe" in resolved else []


def _epochs(written: Mapping[str, Any], resolved: Mapping[str, Any]) -> list[str]:
    return [] if "epochs" in written else [many(resolved["epochs"], "epoch")]


def _batch(written: Mapping[str, Any], resolved: Mapping[str, Any]) -> list[str]:
    return [] if "batch_size" in written else [f"batches of {resolved['batch_size']}"]


def _rate(written: Mapping[str, Any], resolved: Mapping[str, Any]) -> list[str]:
    if "learning_rate" in written:
        return []
    return [f"learning rate {resolved['learning_rate']:g}"]
