"""The files that onnxruntime runs: made, tried on test images, and refused where they do not answer as the network does."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from textwrap import shorten

from torch import Tensor, nn

from dna_engine.disk import is_full
from dna_engine.export import onnx_file
from dna_engine.export.compare import Difference, Logits, accuracy
from dna_engine.export.quantize import write_int8


@dataclass(frozen=True)
class Tried:
    """What came of a file.

    Attributes:
        path: where it lies, if it was written; one that is not offered is to be removed.
        logits: its answers to the test images; None if it did not run.
        reason: why it is not offered; None if it is.
    """

    path: Path
    logits: Logits | None
    reason: str | None


def try_onnx(model: nn.Module, images: Tensor, expected: Logits, path: Path) -> Tried:
    """The network as an ONNX file, which must answer the test images (N, 3, S, S) as the network does."""
    return _try(
        path,
        images,
        write=lambda: onnx_file.write_onnx(model, images[:2], path),
        refuse=lambda found: Difference.between(expected, found).reason,
    )


def try_int8(onnx: Tried, shown: Tensor, images: Tensor, labels: Tensor, *, most_lost: float, path: Path) -> Tried:
    """The ONNX file in 8 bits, which may be so much less accurate on the test images.

    Args:
        shown: images (N, 3, S, S) whose ranges it is made for; no test images.
        most_lost: a difference of two accuracies, 0 to 1.
    """
    if onnx.reason is not None or onnx.logits is None:
        return Tried(path, None, "it would be made of the ONNX file, and there is none.")
    before = accuracy(onnx.logits, labels)

    def refuse(found: Logits) -> str | None:
        lost = before - accuracy(found, labels)
        if lost <= most_lost + 1e-9:
            return None
        return (
            f"it is right on {before - lost:.2%} of {len(images):,} test images, {100 * lost:.1f} points less than in full precision "
            f"({before:.2%}; {100 * most_lost:g} may be lost, by int8_loss of the spec)."
        )

    return _try(path, images, write=lambda: write_int8(onnx.path, shown, path), refuse=refuse)


def _try(path: Path, images: Tensor, *, write: Callable[[], None], refuse: Callable[[Logits], str | None]) -> Tried:
    found = None
    try:
        write()
        found = onnx_file.run_onnx(path, images)
        reason = refuse(found)
    except Exception as error:  # Of the exporter, the quantizer and the runtime, whose errors have no common kind.
        if is_full(error):  # That passes: the step is tried again.
            raise
        reason = f"{type(error).__name__}: {shorten(str(error), 300)}"
    return Tried(path, found, reason)
