"""What the service chose for a search where its maker left it open, in words."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any


def chosen(written: Mapping[str, Any], resolved: Mapping[str, Any]) -> list[tuple[str, str]]:
    """What was chosen, and for what.

    Args:
        written: the spec as it was sent.
        resolved: the same with every default filled in, as the service answers.
    """
    return [(what, ", ".join(said)) for what, *said in _parts(written, resolved) if said]


def _parts(written: Mapping[str, Any], resolved: Mapping[str, Any]) -> Iterator[list[str]]:
    teacher, training, retrain = (_open(written.get(part)) for part in ("teacher", "training", "retrain"))
    if written.get("input_size") is None:
        yield ["input size", f"{resolved['input_size']} pixels"]
    yield ["teacher", *_teacher(teacher, resolved["teacher"])]
    if written.get("space") is None:
        yield ["space", resolved["space"].get("name") or "derived from the teacher"]
    yield ["distillation", *_epochs(training, resolved["training"])]
    yield ["training", *_epochs(retrain, resolved["retrain"]), *_rate(retrain, resolved["retrain"])]
    if written.get("flip") is None and not resolved.get("flip", True):
        yield ["augmentation", "left and right are never exchanged"]
    if not _open(written.get("budget")):
        limits = {name: limit for name, limit in resolved["budget"].items() if limit is not None}
        yield ["budget", *(f"at most {limit:,} {name}" for name, limit in limits.items())]


def _open(part: Any) -> Mapping[str, Any]:
    """What was written of a part, without what was left open in it."""
    return {name: value for name, value in part.items() if value is not None} if isinstance(part, Mapping) else {}


def _teacher(written: Mapping[str, Any], resolved: Mapping[str, Any]) -> list[str]:
    said = [] if "model" in written else [str(resolved["model"])]
    trained = resolved["weights"] == "train"
    if "weights" not in written:
        said.append("trained on the dataset" if trained else f"{resolved['weights']} weights")
    if trained and "epochs" not in written:
        said.append(f"{resolved['epochs']} epochs")
    return said


def _epochs(written: Mapping[str, Any], resolved: Mapping[str, Any]) -> list[str]:
    return [] if "epochs" in written else [f"{resolved['epochs']} epochs"]


def _rate(written: Mapping[str, Any], resolved: Mapping[str, Any]) -> list[str]:
    if "learning_rate" in written or resolved.get("recipe") == "paper":
        return []
    return [f"learning rate {resolved['learning_rate']:g}"]
