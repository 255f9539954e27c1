"""What an exported network answers to a picture, by onnxruntime: for trying it. Torch-free; the runtime is loaded with the first network."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from dna_engine.errors import DataError
from dna_engine.images.check.facts import Facts, Fault, examine
from dna_engine.images.pictures.file import PictureFile
from dna_engine.images.pictures.picture import memory_needed, open_picture
from dna_engine.images.pictures.pixels import PLAIN, Look
from dna_engine.images.pictures.prepare import to_input

#: Bytes a pixel that making a picture RGB takes at most, measured: of one that is RGB or grey, turned, and of one that is converted.
_PIXEL, _CONVERTED_PIXEL = 8, 24


class Answerer:
    """A network that is ready to answer. Safe to use from several threads.

    Args:
        model: the ONNX file, with input ``images`` and output ``logits``.
        how: what its architecture has under ``preprocessing``.
    """

    def __init__(self, model: bytes, how: Mapping[str, Any]) -> None:
        import onnxruntime

        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = options.inter_op_num_threads = 1  # Who asks decides how many run at once.
        options.enable_cpu_mem_arena = False  # Who is kept for the next picture holds no memory of the last.
        options.log_severity_level = 3  # Errors, which are raised as well.
        self._session = onnxruntime.InferenceSession(model, options, providers=["CPUExecutionProvider"])
        self._how = how

    @property
    def classes(self) -> Sequence[str]:
        """Their names, in the order of :meth:`probabilities`."""
        names: Sequence[str] = self._how["classes"]
        return names

    def probabilities(self, picture: PictureFile, *, memory: int) -> NDArray[np.float64]:
        """The softmax of the logits, (classes,), of the picture as ``prepare.py`` of the bundle prepares it.

        Args:
            memory: bytes that decoding may take.

        Raises:
            DataError: it is no picture that can be read; says why.
        """
        images = as_input(picture, self._how, memory=memory)[None]
        logits: NDArray[np.float32] = self._session.run(["logits"], {"images": images})[0]
        shares: NDArray[np.float64] = softmax(logits)[0]
        return shares


def as_input(picture: PictureFile, how: Mapping[str, Any], *, memory: int) -> NDArray[np.float32]:
    """The picture as a network sees it, (3, size, size), made as ``prepare.py`` of its bundle makes it.

    Args:
        how: what the network's architecture has under ``preprocessing``.
        memory: bytes that decoding may take.

    Raises:
        DataError: it is no picture that can be read; says why.
    """
    refuse_unreadable(picture, memory)
    look = Look(background=how.get("background", PLAIN.background), white=how.get("white", PLAIN.white))
    return to_input(open_picture(picture, look), how)


def softmax(logits: NDArray[np.float32]) -> NDArray[np.float64]:
    """Probabilities (N, classes) of logits of the same shape, in double precision."""
    unscaled = np.exp(np.subtract(logits, logits.max(1, keepdims=True), dtype=np.float64))
    shares: NDArray[np.float64] = unscaled / unscaled.sum(1, keepdims=True)
    return shares


def refuse_unreadable(picture: PictureFile, memory: int) -> None:
    """Raises DataError for what the check of a dataset does not take for a picture, and for what takes more memory than that."""
    needed = memory_needed(picture)
    found = examine(picture) if needed <= memory else None
    if isinstance(found, Fault):
        raise DataError(f"{picture.name} cannot be read as a picture: {found.reason}.")
    if found is None or (needed := _whole(found)) > memory:
        raise DataError(
            f"{picture.name} is too large: decoding it takes {needed:,} bytes of memory, more than {memory:,}. Send it with fewer pixels."
        )


def _whole(facts: Facts) -> int:
    """Bytes that making the whole of it RGB takes at most: it was examined at a smaller scale, and is turned and converted."""
    pixel = _PIXEL if facts.mode in ("RGB", "L") and not facts.transparent else _CONVERTED_PIXEL
    return pixel * facts.width * facts.height
