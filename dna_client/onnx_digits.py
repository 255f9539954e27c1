"""Runs a downloaded network on the test digits, with onnxruntime alone: what its user would do, in a process of its own.

    python -m dna_client.onnx_digits winner.json winner.onnx

Prints one JSON object: ``images``, ``accuracy``, and some ``examples`` of [label, predicted]. Needs onnxruntime, pillow and
scikit-learn, which has the digits; exits with 3 where one is not installed.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

EXAMPLES = 10


def main(description: Path, model: Path) -> int:
    try:
        import numpy as np
        import onnxruntime
        from PIL import Image
        from sklearn.datasets import load_digits
        from sklearn.model_selection import train_test_split
    except ImportError as error:
        print(f"{error.name} is not installed", file=sys.stderr)
        return 3
    how: dict[str, Any] = json.loads(description.read_text())["preprocessing"]
    digits = load_digits()
    # The fifth of each class that no search trains on.
    _, pictures, _, labels = train_test_split(
        digits.images, digits.target, test_size=0.2, stratify=digits.target, random_state=0
    )
    side = (how["size"], how["size"])
    grey = [Image.fromarray((picture * 255 / 16).round().astype(np.uint8)) for picture in pictures]
    pixels = np.stack([np.asarray(image.convert("RGB").resize(side, Image.Resampling.BILINEAR)) for image in grey])
    images = ((pixels / 255 - how["mean"]) / how["std"]).astype(np.float32).transpose(0, 3, 1, 2)
    session = onnxruntime.InferenceSession(model, providers=["CPUExecutionProvider"])
    predicted = session.run(None, {session.get_inputs()[0].name: images})[0].argmax(1)
    found = {
        "images": len(images),
        "accuracy": float((predicted == labels).mean()),
        "examples": [
            [int(label), int(said)] for label, said in zip(labels[:EXAMPLES], predicted[:EXAMPLES], strict=True)
        ],
    }
    print(json.dumps(found))
    return 0


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1]), Path(sys.argv[2])))
