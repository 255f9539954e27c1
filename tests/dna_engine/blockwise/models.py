"""Small models to cut, with weights that show what is done to them."""

from __future__ import annotations

from typing import Any

import timm
import torch
from torch import Tensor, nn

#: A small model of every family whose stages follow one another: modules, channels, reductions.
CNNS: dict[str, list[tuple[str, int, int]]] = {
    "tinynet_e": [(f"blocks.{i}", c, r) for i, c, r in [(1, 16, 4), (2, 24, 8), (3, 40, 16), (4, 56, 16), (5, 96, 32), (6, 160, 32)]],
    "efficientnetv2_rw_t": [(f"blocks.{i}", c, r) for i, c, r in [(1, 40, 4), (2, 48, 8), (3, 104, 16), (4, 128, 16), (5, 208, 32)]],
    "mobilenetv2_035": [(f"blocks.{i}", c, r) for i, c, r in [(1, 8, 4), (2, 16, 8), (3, 24, 16), (4, 32, 16), (5, 56, 32), (6, 112, 32)]],
    "mobilenetv3_small_050": [(f"blocks.{i}", c, r) for i, c, r in [(0, 8, 4), (1, 16, 8), (2, 24, 16), (3, 24, 16), (4, 48, 32), (5, 288, 32)]],
    "mobilenetv4_conv_small_035": [(f"blocks.{i}", c, r) for i, c, r in [(0, 16, 4), (1, 24, 8), (2, 32, 16), (3, 48, 32), (4, 336, 32)]],
    "resnet10t": [(f"layer{i}", 32 * 2**i, 2 * 2**i) for i in (1, 2, 3, 4)],
    "resnetv2_18": [(f"stages.{i}", 64 * 2**i, 4 * 2**i) for i in range(4)],
    "seresnet18": [(f"layer{i}", 32 * 2**i, 2 * 2**i) for i in (1, 2, 3, 4)],
    "regnetx_002": [("s1", 24, 4), ("s2", 56, 8), ("s3", 152, 16), ("s4", 368, 32)],
    "regnety_002": [("s1", 24, 4), ("s2", 56, 8), ("s3", 152, 16), ("s4", 368, 32)],
    "rexnet_100": [("features.2", 38, 4), ("features.4", 61, 8), ("features.10", 128, 16), ("features.15", 185, 32)],
    "repvgg_a0": [("stages.0", 48, 4), ("stages.1", 96, 8), ("stages.2", 192, 16), ("stages.3", 1280, 32)],
    "densenet121": [("features.denseblock1", 256, 4), ("features.denseblock2", 512, 8), ("features.denseblock3", 1024, 16), ("features.norm5", 1024, 32)],
    "hgnetv2_b0": [("stages.0", 64, 4), ("stages.1", 256, 8), ("stages.2", 512, 16), ("stages.3", 1024, 32)],
    "convnext_atto": [(f"stages.{i}", 40 * 2**i, 4 * 2**i) for i in range(4)],
    "convnextv2_atto": [(f"stages.{i}", 40 * 2**i, 4 * 2**i) for i in range(4)],
    "poolformer_s12": [("stages.0", 64, 4), ("stages.1", 128, 8), ("stages.2", 320, 16), ("stages.3", 512, 32)],
    "mixnet_s": [(f"blocks.{i}", c, r) for i, c, r in [(1, 24, 4), (2, 40, 8), (3, 80, 16), (4, 120, 16), (5, 200, 32)]],
    "ghostnet_050": [(f"blocks.{i}", c, r) for i, c, r in [(1, 12, 4), (2, 12, 4), (3, 20, 8), (4, 20, 8), (5, 40, 16), (6, 56, 16), (7, 80, 32), (8, 80, 32), (9, 480, 32)]],
}  # fmt: skip


def random_model(name: str, **options: Any) -> nn.Module:
    torch.manual_seed(0)
    model = timm.create_model(name, **options)
    assert isinstance(model, nn.Module)
    for module in model.modules():  # Running statistics that do something, so that evaluation mode shows.
        if isinstance(module, nn.BatchNorm2d) and module.running_mean is not None and module.running_var is not None:
            module.running_mean.normal_(0, 0.1)
            module.running_var.uniform_(0.5, 2)
    return model


def hooked_maps(model: nn.Module, modules: list[str], images: Tensor) -> list[Tensor]:
    """What the whole model computes after some modules, copied at once."""
    maps: dict[str, Tensor] = {}
    handles = [
        model.get_submodule(module).register_forward_hook(
            lambda _module, _inputs, output, name=module: maps.__setitem__(name, output.clone())
        )
        for module in modules
    ]
    with torch.no_grad():
        model.eval()(images)
    for handle in handles:
        handle.remove()
    return [maps[module] for module in modules]
