"""Networks on onnxruntime: what each takes and gives."""

from __future__ import annotations

import numpy as np
import onnxruntime
from numpy.typing import NDArray

from serving.errors import CannotServe
from serving.network import Network

Images = NDArray[np.float32]
Logits = NDArray[np.float32]

_FREE = -1


class Session:
    """A network that is ready to answer. Safe to use from several threads.

    Args:
        threads: that compute one batch.

    Attributes:
        size: height and width of its images; -1 where it takes any.
        classes: how many it tells apart.

    Raises:
        CannotServe: the file cannot be loaded, or is no classifier of images as they are exported here.
    """

    def __init__(self, network: Network, threads: int) -> None:
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads, options.inter_op_num_threads = threads, 1
        # What waits for the next batch leaves the core to who receives it.
        options.add_session_config_entry("session.intra_op.allow_spinning", "0")
        options.log_severity_level = 3  # Errors, which are raised as well.
        try:
            self._session = onnxruntime.InferenceSession(network.onnx, options, providers=["CPUExecutionProvider"])
        except Exception as error:  # The runtime's errors have no common kind.
            raise CannotServe(f"The ONNX file of {network.name} cannot be loaded: {error}") from error
        inputs = {tensor.name: tensor for tensor in self._session.get_inputs()}
        outputs = {tensor.name: tensor for tensor in self._session.get_outputs()}
        if set(inputs) != {"images"} or "logits" not in outputs:
            raise CannotServe(
                f"The ONNX file of {network.name} has the inputs {', '.join(inputs)} and the outputs {', '.join(outputs)}, "
                "where an image classifier as this service exports it has images and logits."
            )
        batch, _, *sizes = inputs["images"].shape
        classes = outputs["logits"].shape[1]
        if isinstance(batch, int):
            raise CannotServe(
                f"The ONNX file of {network.name} takes {batch} images at a time: export it with a free batch."
            )
        if not isinstance(classes, int) or (network.how and len(network.how["classes"]) != classes):
            raise CannotServe(
                f"The ONNX file of {network.name} does not tell as many classes apart as its description names."
            )
        self.size = tuple(side if isinstance(side, int) else _FREE for side in sizes)
        self.classes = classes

    def run(self, images: Images) -> Logits:
        """Logits (N, classes) of images (N, 3, S, S)."""
        logits: Logits = self._session.run(["logits"], {"images": images})[0]
        return logits
