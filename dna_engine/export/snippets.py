"""Code that a reader of the model card runs, without this project. The tests run it as it stands in the card."""

from __future__ import annotations

from collections.abc import Mapping
from importlib.metadata import version
from typing import Any

from dna_engine.images.pictures.pixels import PLAIN

#: Loads the safetensors with timm alone. These lines stand in the docs too.
LOAD_WITH_TIMM = """\
import json, pathlib
from safetensors.torch import load_file
from timm.models._efficientnet_builder import decode_arch_def
from timm.models.efficientnet import EfficientNet

arguments = json.loads(pathlib.Path("architecture.json").read_text())["timm"]
blocks = decode_arch_def(arguments.pop("arch_def"))
model = EfficientNet(blocks, **{"act_layer": "silu", **arguments})
model.load_state_dict(load_file("weights.safetensors"))
model.eval()
"""

#: Makes inputs of pictures of every kind with Pillow and numpy alone, by ``images/pictures/prepare.py``, which the bundle has a copy of.
PREPARE = """\
import json, pathlib
from prepare import prepare
how = json.loads(pathlib.Path("architecture.json").read_text())["preprocessing"]
images = prepare("photo.jpg", how)[None]
"""

RUN_WITH_ONNXRUNTIME = """\
import onnxruntime
session = onnxruntime.InferenceSession("model.onnx")
logits = session.run(None, {"images": images})[0]  # images: float32 (N, 3, size, size)
"""

_BEGIN = """\
import numpy as np
from PIL import Image, ImageOps
picture = ImageOps.exif_transpose(Image.open("photo.jpg")).convert("RGB")
"""

#: By ``fit``: a picture becomes a square of ``resize`` pixels.
_SQUARES = {
    "crop": """\
side, (left, top) = min(picture.size), ((n - min(picture.size)) / 2 for n in picture.size)
picture = picture.resize(({resize}, {resize}), Image.Resampling.BILINEAR, (left, top, left + side, top + side))
""",
    "pad": """\
across, down = (max(1, round({resize} * n / max(picture.size))) for n in picture.size)
whole, picture = picture.resize((across, down), Image.Resampling.BILINEAR), Image.new("RGB", ({resize}, {resize}), "{background}")
picture.paste(whole, (({resize} - across) // 2, ({resize} - down) // 2))
""",
    "squash": """\
picture = picture.resize(({resize}, {resize}), Image.Resampling.BILINEAR)
""",
}

_CUT = """\
picture = picture.crop(({cut}, {cut}, {end}, {end}))
"""

_END = """\
pixels = (np.asarray(picture) / 255 - {mean}) / {std}
images = pixels.astype(np.float32).transpose(2, 0, 1)[None]  # (1, 3, {size}, {size})
"""


def prepare_shortly(preprocessing: Mapping[str, Any]) -> str:
    """At most ten lines that make an input of an ordinary photo (8 bits, opaque), to the bit as ``prepare.py`` does for this network."""
    resize, size = preprocessing["resize"], preprocessing["size"]
    cut = (resize - size) // 2
    square = _SQUARES[preprocessing.get("fit", PLAIN.fit)]
    return (_BEGIN + square + (_CUT if cut else "") + _END).format(
        resize=resize,
        size=size,
        cut=cut,
        end=cut + size,
        background=preprocessing.get("background", PLAIN.background),
        mean=preprocessing["mean"],
        std=preprocessing["std"],
    )


def pinned(*packages: str) -> str:
    """The command that installs the versions with which the files were made and compared."""
    versions = (f"{package}=={version(package).partition('+')[0]}" for package in packages)
    return f"pip install {' '.join(versions)}"
