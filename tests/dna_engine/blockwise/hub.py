"""Weights of timm that this machine seems to have downloaded before: the cache of the hub, and no way to the hub."""

from __future__ import annotations

from pathlib import Path

import huggingface_hub
import pytest
import timm
from safetensors.torch import save_file
from torch import nn

#: The commit that the weights are of.
REVISION = "c0ffee" + 34 * "0"


def put_weights(name: str, model: nn.Module, cache: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Lays weights for the model ``name`` where timm looks for them, as a download does."""
    config = timm.get_pretrained_cfg(name)
    assert config is not None
    assert config.hf_hub_id is not None
    repository = cache / f"models--{config.hf_hub_id.replace('/', '--')}"
    snapshot = repository / "snapshots" / REVISION
    for folder in (snapshot, repository / "refs"):
        folder.mkdir(parents=True)
    (repository / "refs/main").write_text(REVISION)
    save_file(model.state_dict(), snapshot / "model.safetensors")
    monkeypatch.setattr(huggingface_hub.constants, "HF_HUB_CACHE", str(cache))
    monkeypatch.setattr(huggingface_hub.constants, "HF_HUB_OFFLINE", True)
