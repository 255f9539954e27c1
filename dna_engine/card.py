"""The model card of an exported network: what it is, what was measured, and how to run it without this project."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

#: Loads the safetensors with timm alone. The tests run these lines as they stand here, in the card and in the docs.
LOAD_WITH_TIMM = """\
import json, pathlib, torch
from safetensors.torch import load_file
from timm.models._efficientnet_builder import decode_arch_def
from timm.models.efficientnet import EfficientNet

arguments = json.loads(pathlib.Path("architecture.json").read_text())["timm"]
blocks = decode_arch_def(arguments.pop("arch_def"))
model = EfficientNet(blocks, act_layer=torch.nn.SiLU, **arguments)
model.load_state_dict(load_file("weights.safetensors"))
model.eval()
"""

RUN_WITH_ONNXRUNTIME = """\
import onnxruntime
session = onnxruntime.InferenceSession("model.onnx")
logits = session.run(None, {"images": images})[0]  # images: float32 (N, 3, size, size)
"""

_CARD = """\
# {title}

An image classifier that was found by blockwise architecture search (DNA, Li et al. 2020) and trained from scratch on
{dataset}.

| | |
|---|---|
| test accuracy | {accuracy:.2%} |
| test log-loss | {loss:.4f} |
| multiply-adds of convolutions and linear layers | {flops:,} |
| parameters | {params:,} |
| largest difference of the ONNX file from the torch model, on {images} test images | {difference:.1e} |

## Load it with timm

```python
{load}```

## Run the ONNX file

```python
{run}```

## Prepare a picture

RGB; the shorter side resized to {resize} pixels ({interpolation}), the middle {size} x {size} pixels cut out; each channel
`(x / 255 - mean) / std` with mean {mean} and std {std}. The largest of the logits names the class: {classes}.

## Trained with

{recipe}; seed {seed}. The accuracy holds for images like those it was tested on; nothing was tested beyond them.
"""


def write_card(
    name: str, preprocessing: Mapping[str, Any], training: Mapping[str, Any], export: Mapping[str, Any]
) -> str:
    """The card as Markdown, from what the train and export steps recorded."""
    recipe = ", ".join(f"{key} {value}" for key, value in training["recipe"].items())
    return _CARD.format(
        title=f"{name} for {training['dataset']}",
        dataset=training["dataset"],
        accuracy=training["test_accuracy"],
        loss=training["test_loss"],
        flops=export["counted"]["flops"],
        params=export["counted"]["params"],
        images=export["images"],
        difference=export["largest_difference"]["onnx"],
        load=LOAD_WITH_TIMM,
        run=RUN_WITH_ONNXRUNTIME,
        resize=preprocessing["resize"],
        size=preprocessing["size"],
        interpolation=preprocessing["interpolation"],
        mean=preprocessing["mean"],
        std=preprocessing["std"],
        classes=", ".join(preprocessing["classes"]) or "numbered in the order of the class folders",
        recipe=recipe,
        seed=training["seed"],
    )
