"""A network as a model repository of the Triton inference server: a folder with its configuration, its labels and a first version.

Fields: https://docs.nvidia.com/deeplearning/triton-inference-server/user-guide/docs/user_guide/model_configuration.html
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from dna_engine.export.bundle import write_archive

#: Pictures that the server puts together, at most, and how long the first of them waits for others, in microseconds.
MAX_BATCH, LONGEST_WAIT = 64, 2_000

# A model has the name of its folder, so that renaming the folder renames it.
_CONFIG = """\
backend: "onnxruntime"
max_batch_size: {most}
input [
  {{
    name: "images"
    data_type: TYPE_FP32
    dims: [ {channels}, {size}, {size} ]
  }}
]
output [
  {{
    name: "logits"
    data_type: TYPE_FP32
    dims: [ {classes} ]
    label_filename: "labels.txt"
  }}
]
dynamic_batching {{
  max_queue_delay_microseconds: {wait}
}}
model_warmup [
{warm_up}
]
"""

_WARM_UP = """\
  {{
    name: "{batch} at once"
    batch_size: {batch}
    inputs {{
      key: "images"
      value {{
        data_type: TYPE_FP32
        dims: [ {channels}, {size}, {size} ]
        zero_data: true
      }}
    }}
  }}"""


def write_repository(title: str, description: Mapping[str, Any], onnx: Path, path: Path) -> None:
    """Writes a zip that is unpacked into ``--model-repository``.

    Args:
        title: of the network; its folder is named after it.
        description: the network, as ``architecture.json`` has it.
    """
    folder = model_name(title)
    write_archive(
        path,
        {
            f"{folder}/config.pbtxt": configuration(description).encode(),
            f"{folder}/labels.txt": labels(description).encode(),
            f"{folder}/1/model.onnx": onnx.read_bytes(),
        },
    )


def model_name(title: str) -> str:
    """A title as a name of a folder and in a URL: ``winner for my birds`` is ``winner-for-my-birds``."""
    return re.sub(r"[^A-Za-z0-9_]+", "-", title).strip("-")[:100] or "network"


def configuration(description: Mapping[str, Any]) -> str:
    """``config.pbtxt``: what goes in and out of one picture, batches as they come, and a warm-up of the smallest and the largest."""
    shape = {"channels": description["timm"]["in_chans"], "size": description["preprocessing"]["size"]}
    warm_up = ",\n".join(_WARM_UP.format(batch=batch, **shape) for batch in (1, MAX_BATCH))
    classes = description["timm"]["num_classes"]
    return _CONFIG.format(most=MAX_BATCH, wait=LONGEST_WAIT, classes=classes, warm_up=warm_up, **shape)


def labels(description: Mapping[str, Any]) -> str:
    """A class a line, in the order of the logits; their numbers where they have no names."""
    names = description["preprocessing"]["classes"] or map(str, range(description["timm"]["num_classes"]))
    return "".join(f"{' '.join(name.split())}\n" for name in names)
