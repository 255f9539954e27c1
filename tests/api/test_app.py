"""The application opens nothing at import, and never loads torch."""

from __future__ import annotations

import json
import subprocess
import sys


def test_import_is_light() -> None:
    """In its own process. The time is the processor's, so that a busy machine does not count."""
    code = "import json, sys, time; import api.app; print(json.dumps([time.process_time(), sorted(sys.modules)]))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    seconds, modules = json.loads(done.stdout)
    assert seconds < 2
    loaded = {name.partition(".")[0] for name in modules}
    assert not loaded & {
        "torch",
        "torchvision",
        "timm",
        "scipy",
        "sklearn",
        "onnx",
        "onnxruntime",
        "worker",
        "dna_client",
    }
