"""A real inference server, and what tests send to it."""

from __future__ import annotations

import io
import json
import os
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import onnxruntime
from numpy.typing import NDArray
from PIL import Image

from dna_engine.images.pictures.pixels import preprocessing
from tests.api.networks import onnx_of_colours

CLASSES = ["jay", "owl", "wren"]
SIZE = 24
HOW = preprocessing(SIZE, CLASSES)

Images = NDArray[np.float32]


@dataclass(frozen=True)
class Running:
    """Where it listens, and the process."""

    url: str
    grpc: str
    models: list[str]
    process: subprocess.Popen[str]

    def path(self, model: str, verb: str = "infer") -> str:
        return f"{self.url}/v2/models/{model}/{verb}"


@contextmanager
def running(*arguments: str, environment: Mapping[str, str] | None = None) -> Iterator[Running]:
    """``python -m serving`` inside a block."""
    command = [sys.executable, "-W", "error", "-m", "serving", *arguments, "--port", "0", "--grpc-port", "0"]
    process = subprocess.Popen(
        command,
        env={**os.environ, **(environment or {})},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    try:
        assert process.stdout
        assert process.stderr
        line = process.stdout.readline()
        assert line, process.stderr.read()
        said = json.loads(line)
        yield Running(said["url"], said["grpc"], said["models"], process)
    finally:
        process.kill()
        process.communicate()


def lay_down(folder: Path, *, classes: int = len(CLASSES), size: int | None = SIZE, how: Any = HOW) -> Path:
    """A folder with a network as ``dna download`` leaves it."""
    folder.mkdir()
    (folder / "winner-1.onnx").write_bytes(onnx_of_colours(classes, size))
    (folder / "winner-1.json").write_text(json.dumps({"preprocessing": how}))
    return folder


def photo(shade: int = 0, kind: str = "JPEG") -> bytes:
    pixels = np.random.default_rng(shade).integers(0, 256, (30, 40, 3), dtype=np.uint8)
    content = io.BytesIO()
    Image.fromarray(pixels).save(content, kind)
    return content.getvalue()


def noise(images: int, seed: int = 0) -> Images:
    return np.random.default_rng(seed).normal(size=(images, 3, SIZE, SIZE)).astype(np.float32)


def logits_of(onnx: bytes, images: Images) -> Images:
    """As onnxruntime has them."""
    found: Images = onnxruntime.InferenceSession(onnx, providers=["CPUExecutionProvider"]).run(
        ["logits"], {"images": images}
    )[0]
    return found
