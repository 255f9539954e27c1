"""Networks that have answered of late, kept ready to answer again."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Mapping
from typing import Any
from uuid import UUID

from dna_engine.answer import Answerer
from store.blobs import Blob, BlobStore


class Answerers:
    """The networks asked last, whose files have at most ``most_bytes`` together. Safe to use from several threads."""

    def __init__(self, blobs: BlobStore, most_bytes: int) -> None:
        self._blobs = blobs
        self._most_bytes = most_bytes
        self._kept: OrderedDict[UUID, tuple[int, Answerer]] = OrderedDict()
        self._lock = threading.Lock()

    def get(self, onnx: Blob, how: Mapping[str, Any]) -> Answerer:
        """The network in a stored ONNX file; one that is larger than all that is kept is made anew each time.

        Args:
            how: what its architecture has under ``preprocessing``.

        Raises:
            CorruptArtifact: the file is not what was stored.
        """
        with self._lock:
            if onnx.id in self._kept:
                self._kept.move_to_end(onnx.id)
                return self._kept[onnx.id][1]
        answerer = Answerer(b"".join(self._blobs.read(onnx)), how)
        with self._lock:
            self._kept[onnx.id] = (onnx.size, answerer)
            while sum(size for size, _ in self._kept.values()) > self._most_bytes:
                self._kept.popitem(last=False)
        return answerer
