"""Networks that begin with the weights of their distilled blocks: chained as they are, trained for a short time, trained as any."""

from __future__ import annotations

import functools
from collections.abc import Sequence
from itertools import islice
from pathlib import Path

import torch
from timm.models.efficientnet import EfficientNet

from dna_engine.blockwise.begin import begin
from dna_engine.blockwise.inherit import load_parts, stitched
from dna_engine.blockwise.rate import even_batch
from dna_engine.blockwise.spread import Spread
from dna_engine.blockwise.teacher import load_teacher
from dna_engine.runtime.checkpoint import remove
from dna_engine.runtime.context import Context
from dna_engine.space.architecture import Architecture
from dna_engine.spec import ResolvedSpec
from dna_engine.training import network, train
from dna_engine.training.batches import Images
from dna_engine.training.recipe import Recipe
from dna_engine.training.splits import Splits, load_splits

#: Batches of rating images that networks are chained on.
CHAINED = 8


@torch.inference_mode()
def chain(
    spec: ResolvedSpec, networks: Sequence[Architecture], images: Images, run: Path, device: torch.device
) -> list[float]:
    """Each block fed with what the block before made: squared distance to the teacher at the last boundary, over its variance."""
    assert spec.rating.batch_size is not None
    teacher, space = load_teacher(spec, run, device), spec.parsed_space
    last, size = len(space.blocks), even_batch(len(images), spec.rating.batch_size)
    batches = [(x, teacher.features(x, [last])[last]) for x, _ in islice(images.ordered(size), CHAINED)]
    spread = Spread()
    for _, target in batches:
        spread.add(target)
    scores = []
    for architecture in networks:
        parts = load_parts(space, architecture, run, device)
        ends = (parts[-1].cell.leave(stitched(parts, x)[-1]) - target for x, target in batches)
        scores.append(sum(float(end.square().sum()) for end in ends) / (spread.count * spread.variance))
    return scores


def build(
    spec: ResolvedSpec, architecture: Architecture, images: Images, run: Path, seed: int, device: torch.device
) -> EfficientNet:
    """The network with the weights of its blocks in the run folder; its head is new."""
    torch.manual_seed(seed)
    model = network.build(architecture).to(device)
    begin(model, architecture, spec.parsed_space, run, images, batch_size=spec.retrain.batch_size, seed=seed)
    return model


def short(spec: ResolvedSpec, architecture: Architecture, run: Path, context: Context) -> train.FitResult:
    """Trained as a finalist of a search is, and judged on the images that were held out."""
    splits = _share(spec.model_dump_json(), spec.select.epochs, context.device)
    model = build(spec, architecture, splits.train, run, spec.seed, context.device)
    checkpoint = context.run / "checkpoint.safetensors"
    fitted = train.fit(
        model,
        splits.judged_by_held_out(),
        Recipe.of_finalist(spec),
        seed=spec.seed,
        context=context,
        checkpoint=checkpoint,
        part="short",
        warn=False,
    )
    remove(checkpoint)
    return fitted


@functools.cache
def _share(spec: str, share: float, device: torch.device) -> Splits:
    """Read once in each process."""
    return load_splits(ResolvedSpec.model_validate_json(spec), device, share=share)
