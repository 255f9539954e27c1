"""What a network answers, as the tensors of a response: its logits, and its likeliest classes with their probabilities."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any
from uuid import uuid4

import numpy as np
from kserve import InferOutput, InferRequest, InferResponse
from kserve.errors import InvalidInput
from kserve.protocol.infer_type import to_http_parameters

from dna_engine.answer import softmax
from serving.runtime import Logits

LOGITS, CLASSES, PROBABILITIES = "logits", "classes", "probabilities"

#: Likeliest classes of a response whose request does not say ``top_k``.
TOP = 5


class Outputs:
    """Makes responses for one network.

    Args:
        classes: their names, in the order of the logits.
    """

    def __init__(self, model: str, classes: Sequence[str]) -> None:
        self._model = model
        self._classes = np.array(classes, dtype=np.object_)

    @property
    def types(self) -> list[dict[str, Any]]:
        """As the protocol's metadata describes them; a request says with ``top_k`` how many classes it wants."""
        shapes = {LOGITS: ("FP32", len(self._classes)), CLASSES: ("BYTES", -1), PROBABILITIES: ("FP32", -1)}
        return [{"name": name, "datatype": kind, "shape": [-1, width]} for name, (kind, width) in shapes.items()]

    def response(self, request: InferRequest, logits: Logits) -> InferResponse:
        """The outputs that were asked for, or all of them.

        Raises:
            InvalidInput: there is no such output, ``top_k`` is no number of classes, or the answer is no number.
        """
        if not np.isfinite(logits).all():
            raise InvalidInput(
                "The answer to these images is no number: they hold NaN, infinity or values far too large."
            )
        best = np.argsort(-logits, axis=1, kind="stable")[:, : self._top(request)]
        tensors = {
            LOGITS: logits,
            CLASSES: self._classes[best],
            PROBABILITIES: np.take_along_axis(softmax(logits), best, 1).astype(np.float32),
        }
        asked = [one.name for one in request.request_outputs or ()]
        if unknown := sorted({*asked} - {*tensors}):
            raise InvalidInput(f"There is no output {unknown[0][:100]}; there are {', '.join(tensors)}.")
        kinds = {kind["name"]: kind["datatype"] for kind in self.types}
        return InferResponse(
            response_id=request.id or str(uuid4()),
            model_name=self._model,
            infer_outputs=[
                InferOutput(name, list(tensors[name].shape), kinds[name], data=tensors[name])
                for name in asked or tensors
            ],
            # Over gRPC arrays are written as they are; KServe would look whether they are true.
            use_binary_outputs=request.use_binary_outputs and not request.from_grpc,
            requested_outputs=request.request_outputs,
        )

    def _top(self, request: InferRequest) -> int:
        top = to_http_parameters(request.parameters or {}).get("top_k", TOP)
        if not isinstance(top, int) or isinstance(top, bool) or top < 1:
            raise InvalidInput("top_k is a whole number of classes, 1 or more.")
        return min(top, len(self._classes))
