"""What a search may ask for although its ratings or accuracies would tell little, and which images it does without.

Torch-free, so that it is told before any work.
"""

from __future__ import annotations

from collections.abc import Iterator

from dna_engine.catalogue import enough_width, get_teacher, is_known
from dna_engine.images.info import DatasetInfo
from dna_engine.spec import ResolvedSpec, ResolvedTraining


def advice(spec: ResolvedSpec) -> list[str]:
    """One sentence for each thing that was left out of the images, or that weakens the accuracies or ratings of this search;
    none where it is set up as the method means it.
    """
    images = advice_on_images(spec.dataset)
    if not is_known(spec.teacher.model):  # Of an older version: nothing is known of its stages.
        return images
    return [*images, *_parts_of_stages(spec), *_narrow_cells(spec)]


def advice_on_training(spec: ResolvedTraining) -> list[str]:
    """One sentence for each thing that weakens the accuracy of a training."""
    return [*advice_on_images(spec.dataset), *_shrunk(spec), *_one_step(spec)]


def _shrunk(spec: ResolvedTraining) -> Iterator[str]:
    if spec.dataset.image_size >= 2 * spec.input_size:
        yield (
            f"Images of {spec.dataset.image_size} pixels are shrunk to {spec.input_size}, which the network was found for: a larger "
            "input_size (--input-size) keeps more of them, and costs more."
        )


def _one_step(spec: ResolvedTraining) -> Iterator[str]:
    if spec.batch_size > spec.dataset.num_train:
        yield (
            f"A batch of {spec.batch_size:,} is more than the {spec.dataset.num_train:,} training images: every epoch is one step, at a "
            "learning rate for larger batches. Take a smaller batch_size (--batch-size)."
        )


def advice_on_images(dataset: DatasetInfo) -> list[str]:
    """What was left out of the images, and what weakens any accuracy on them."""
    return [*dataset.left_out, *dataset.warnings]


def _parts_of_stages(spec: ResolvedSpec) -> Iterator[str]:
    ends = [block.module for block in get_teacher(spec.teacher.model).blocks]
    for number, boundary in enumerate(spec.teacher.boundaries, start=1):
        if boundary not in ends:
            yield (
                f"Block {number} ends at {boundary}, inside a stage of {spec.teacher.model}: where a block of the teacher is one "
                f"residual layer or so, all paths are rated much alike. The stages end at {', '.join(ends)}."
            )


def _narrow_cells(spec: ResolvedSpec) -> Iterator[str]:
    channels = {block.module: block.channels for block in get_teacher(spec.teacher.model).blocks}
    for number, (boundary, block) in enumerate(
        zip(spec.teacher.boundaries, spec.parsed_space.blocks, strict=True), start=1
    ):
        wanted = channels.get(boundary, 0)
        narrow = sorted({cell.width for cell in block.cells if cell.width < enough_width(wanted)})
        if narrow:
            yield (
                f"Block {number} has cells of {' and '.join(map(str, narrow))} channels for the {wanted} of "
                f"{spec.teacher.model}: so narrow a cell follows the teacher badly, and that its ratings tell one op from "
                f"another was never seen. Take cells of {enough_width(wanted)} or more, or a teacher with fewer channels."
            )
