"""Writes ``catalogue.json`` and ``weights.json.xz``: the timm models that are offered as teachers, described from the models themselves.

Models are built without memory for their weights, so that the whole table takes seconds.
"""

from __future__ import annotations

import json
import lzma
from dataclasses import asdict
from pathlib import Path
from typing import Any

import timm
import torch

from dna_engine.blockwise.models import build, native_config
from dna_engine.blockwise.stages import count_flops, find_blocks, find_cuts
from dna_engine.catalogue import Teacher

#: Well-known timm models, by family.
FAMILIES: dict[str, str] = {
    "EfficientNet": " ".join(f"tf_efficientnet_b{n}" for n in range(9))
    + " efficientnet_b0 efficientnet_b1 efficientnet_b2 efficientnet_b3 efficientnet_b4 efficientnet_b5"
    " tf_efficientnet_lite0 tf_efficientnet_lite1 tf_efficientnet_lite4",
    "EfficientNetV2": "tf_efficientnetv2_b0 tf_efficientnetv2_b1 tf_efficientnetv2_b2 tf_efficientnetv2_b3"
    " tf_efficientnetv2_s tf_efficientnetv2_m tf_efficientnetv2_l efficientnetv2_rw_t",
    "MNASNet": "mnasnet_100 semnasnet_100 spnasnet_100",
    "FBNet": "fbnetc_100 fbnetv3_b fbnetv3_d fbnetv3_g",
    "MixNet": "mixnet_s mixnet_m mixnet_l mixnet_xl",
    "TinyNet": "tinynet_a tinynet_b tinynet_c tinynet_d tinynet_e",
    "LCNet": "lcnet_050 lcnet_075 lcnet_100",
    "MobileNetV2": "mobilenetv2_050 mobilenetv2_100 mobilenetv2_110d mobilenetv2_120d mobilenetv2_140",
    "MobileNetV3": "mobilenetv3_small_050 mobilenetv3_small_075 mobilenetv3_small_100 mobilenetv3_large_100"
    " mobilenetv3_rw",
    "MobileNetV4": "mobilenetv4_conv_small mobilenetv4_conv_medium mobilenetv4_conv_large",
    "GhostNet": "ghostnet_100 ghostnetv2_100",
    "ReXNet": "rexnet_100 rexnet_130 rexnet_150 rexnet_200",
    "ResNet": "resnet10t resnet14t resnet18 resnet26 resnet26t resnet34 resnet50 resnet50d resnet101 resnet152"
    " wide_resnet50_2",
    "ResNetV2": "resnetv2_50 resnetv2_101 resnetv2_50x1_bit",
    "ResNeXt": "resnext50_32x4d resnext101_32x8d resnext101_64x4d",
    "SE-ResNet": "seresnet18 seresnet34 seresnet50 seresnet101 seresnet152",
    "Res2Net": "res2net50_26w_4s res2net101_26w_4s",
    "RegNet": "regnetx_002 regnetx_008 regnetx_016 regnetx_032 regnety_002 regnety_004 regnety_008 regnety_016"
    " regnety_032 regnety_080 regnety_160",
    "RepVGG": "repvgg_a0 repvgg_a1 repvgg_a2 repvgg_b0",
    "DenseNet": "densenet121 densenet161 densenet169 densenet201",
    "HGNetV2": "hgnetv2_b0 hgnetv2_b2 hgnetv2_b4",
    "ConvNeXt": "convnext_atto convnext_femto convnext_pico convnext_nano convnext_tiny convnext_small convnext_base"
    " convnext_large",
    "ConvNeXtV2": "convnextv2_atto convnextv2_femto convnextv2_pico convnextv2_nano convnextv2_tiny convnextv2_base",
    "PoolFormer": "poolformer_s12 poolformer_s24 poolformer_s36",
    "ViT": "vit_tiny_patch16_224 vit_small_patch16_224 vit_small_patch32_224 vit_base_patch16_224",
    "DeiT": "deit_tiny_patch16_224 deit_small_patch16_224 deit_base_patch16_224 deit_tiny_distilled_patch16_224"
    " deit3_small_patch16_224 deit3_base_patch16_224",
}


def describe_model(name: str, family: str) -> Teacher:
    """A row of the catalogue: parameters at the native number of classes, and the blocks.

    Raises:
        TeacherError: no blocks can be found in the model.
    """
    with torch.device("meta"):
        model = build(name)
    return Teacher(
        name=name,
        family=family,
        params=sum(parameter.numel() for parameter in model.parameters()),
        tags=_tags(name),
        blocks=find_blocks(model),
        cuts=(cuts := find_cuts(model)),
        flops=count_flops(model, list(cuts)),
    )


def _tags(name: str) -> tuple[str, ...]:
    """Of the weights on the hub, those first that timm takes where no tag is given."""
    tagged = [native_config(full) for full in timm.list_pretrained(f"{name}.*")]
    first = native_config(name).tag
    tags = [config.tag for config in tagged if config.hf_hub_id and config.tag]
    return tuple(sorted(tags, key=lambda tag: (tag != first, tag)))


def write_catalogue(path: Path) -> int:
    """Describes every model of :data:`FAMILIES`, one line of JSON for each; returns how many."""
    rows = [asdict(describe_model(name, family)) for family, names in FAMILIES.items() for name in names.split()]
    path.write_text("[\n" + ",\n".join(json.dumps(row) for row in rows) + "\n]\n")
    return len(rows)


def describe_weights(name: str) -> dict[str, Any]:
    """What :class:`dna_engine.weights.Expected` says of a model, as JSON."""
    with torch.device("meta"):
        model = build(name)
    config = native_config(name)
    tagged = {tag: native_config(f"{name}.{tag}") for tag in _tags(name)}
    return {
        "classifiers": [config.classifier] if isinstance(config.classifier, str) else list(config.classifier or ()),
        "normalised": {tag: [list(of.mean), list(of.std)] for tag, of in {"": config, **tagged}.items()},
        "shapes": {tensor: list(value.shape) for tensor, value in model.state_dict().items()},
    }


def write_weights(path: Path) -> None:
    """Describes the weights of every model of :data:`FAMILIES`."""
    rows = {name: describe_weights(name) for names in FAMILIES.values() for name in names.split()}
    path.write_bytes(lzma.compress(json.dumps(rows, separators=(",", ":")).encode(), preset=9))
