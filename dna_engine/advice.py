"""What a search may ask for although its ratings or accuracies would tell little, and which images it does without.

Torch-free, so that it is told before any work.
"""

from __future__ import annotations

from collections.abc import Iterator

from dna_engine.catalogue import enough_width, get_teacher, is_known
from dna_engine.images.info import DatasetInfo
from dna_engine.images.pictures.pixels import ELONGATED, ENLARGED
from dna_engine.spec import ResolvedAlone, ResolvedNetworks, ResolvedSpec


def advice(spec: ResolvedSpec) -> list[str]:
    """One sentence for each thing that was left out of the images, or that weakens the accuracies or ratings of this search;
    none where it is set up as the method means it.
    """
    images = [*advice_on_images(spec.dataset), *_shapes(spec), *_enlarged(spec)]
    if not is_known(spec.teacher.model):  # Of an older version: nothing is known of its stages.
        return images
    return [*images, *_parts_of_stages(spec), *_narrow_cells(spec)]


def advice_on_training(spec: ResolvedAlone) -> list[str]:
    """One sentence for each thing that weakens the accuracy of a training."""
    return [*advice_on_images(spec.dataset), *_shapes(spec), *_enlarged(spec), *_shrunk(spec), *_one_step(spec)]


def _shrunk(spec: ResolvedAlone) -> Iterator[str]:
    if spec.dataset.image_size >= 2 * spec.input_size:
        yield (
            f"Images of {spec.dataset.image_size} pixels are shrunk to {spec.input_size}, which the network was found for: a larger "
            "input_size (--input-size) keeps more of them, and costs more."
        )


def _one_step(spec: ResolvedAlone) -> Iterator[str]:
    if spec.batch_size > spec.dataset.num_train:
        yield (
            f"A batch of {spec.batch_size:,} is more than the {spec.dataset.num_train:,} training images: every epoch is one step, at a "
            "learning rate for larger batches. Take a smaller batch_size (--batch-size)."
        )


def advice_on_images(dataset: DatasetInfo) -> list[str]:
    """What was left out of the images, and what weakens any accuracy on them."""
    return [*dataset.left_out, *dataset.warnings]


def _shapes(spec: ResolvedNetworks) -> Iterator[str]:
    """Whether squares cut out of most pictures leave out half of them or more."""
    if spec.dataset.aspect_ratios is None or (times := _times_as_long(spec.dataset)) < ELONGATED:
        return
    shape = f"Most pictures are {times:.1f} times as long as wide"
    yield {
        "crop": f"{shape}: the square in the middle is {1 / times:.0%} of one, the rest is never seen. Take resize pad or squash (--resize).",
        "pad": f"{shape}, and become squares with the background beside them (resize pad): the larger input_size is, the more is seen.",
        "squash": f"{shape}, and become squares with their sides made equal (resize squash).",
    }[spec.resize]


def _enlarged(spec: ResolvedNetworks) -> Iterator[str]:
    """Whether most pictures are made larger by more than :data:`ENLARGED`."""
    side, times = spec.dataset.image_size, _times_as_long(spec.dataset)
    seen = side * {"crop": 1.0, "pad": times, "squash": times**0.5}[spec.resize]
    if spec.input_size > ENLARGED * seen:
        yield (
            f"Most pictures are enlarged {spec.input_size / seen:.3g} times: half of them have a side of {side} pixels or less, the input has "
            f"{spec.input_size}. That costs time and shows nothing more; a smaller input_size (--input-size) may do as well."
        )


def _times_as_long(dataset: DatasetInfo) -> float:
    """The longer side of most pictures over the shorter one."""
    middle = dataset.aspect_ratios[1] if dataset.aspect_ratios else 1.0
    return max(middle, 1 / middle)


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
