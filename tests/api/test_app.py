"""The application opens nothing at import, and never loads torch."""

from __future__ import annotations

import json
import subprocess
import sys

#: What the engine and the client need, and an API that starts within a moment does not.
HEAVY = {
    "dna_client",
    "matplotlib",
    "onnx",
    "onnxruntime",
    "pandas",
    "scipy",
    "sklearn",
    "timm",
    "torch",
    "torchvision",
    "worker",
}

#: Twice as many as there are: loading torch alone would add more.
MODULES = 2_400


def test_import_is_light() -> None:
    """In its own process. What is loaded is counted: how long that takes is the machine's affair."""
    code = "import json, sys, api.app; print(json.dumps(sorted(sys.modules)))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    modules = json.loads(done.stdout)
    assert {name.partition(".")[0] for name in modules} & HEAVY == set()
    assert len(modules) < MODULES
