"""A trained timm model as supervisor: where it is cut into blocks, its weights, and its feature maps.

The cuts are the model's stage ends. timm's own ``feature_info`` names only the last stage of each resolution; the stages
between (an EfficientNet has two pairs that share one) are found beside those it names. A transformer keeps one
resolution throughout: it is cut at the quarters of its depth and its token maps are resampled to reductions 4, 8, 16 and
32, so that a student that shrinks its maps can follow.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable, Collection, Iterator, Sequence
from pathlib import Path
from typing import Any

import timm
import torch
from safetensors import SafetensorError
from safetensors.torch import load_file, save_file
from timm.models import PretrainedCfg
from torch import Tensor, nn
from torch.nn import functional as F
from torch.utils.flop_counter import FlopCounterMode

from dna_engine.advice import advice
from dna_engine.blockwise.cell import check_sides
from dna_engine.catalogue import MAX_REDUCTION, NATIVE_SIZE, TeacherBlock
from dna_engine.errors import TeacherError
from dna_engine.events import Log, Result
from dna_engine.images import pixels
from dna_engine.plans import Step, files
from dna_engine.plans.results import TeacherFound
from dna_engine.runtime import checkpoint
from dna_engine.runtime.context import Context
from dna_engine.spec import ResolvedSpec
from dna_engine.training import batches, train
from dna_engine.training.network import calm_classifier, count_model
from dna_engine.training.recipe import Recipe

#: Blocks that keep more resolution than this are left to the student's stem.
MIN_REDUCTION = 4
#: Reductions to which the token maps of a transformer are resampled, one for each quarter of its depth.
TOKEN_REDUCTIONS = (4, 8, 16, 32)


def build(
    name: str, *, num_classes: int | None = None, weights: Path | None = None, pretrained: bool = False
) -> nn.Module:
    """A timm model, with random weights, timm's own, or those of a safetensors file (of any number of classes).

    Raises:
        TeacherError: the weights cannot be had or do not fit the model.
    """
    if weights is not None:
        return _from_file(name, weights)
    classes = {} if num_classes is None else {"num_classes": num_classes}
    if not pretrained:
        return _created(name, **classes)
    try:
        # Only the safetensors file of the hub is ever read, never a pickle.
        return _created(
            name, pretrained=True, pretrained_cfg_overlay={"hf_hub_filename": "model.safetensors"}, **classes
        )
    except (OSError, RuntimeError, ValueError) as error:
        raise TeacherError(
            f"The pretrained weights of {name} could not be downloaded ({type(error).__name__}: {error}). Allow access "
            "to the model hub.",
            param="teacher.weights",
        ) from error


def native_config(name: str) -> PretrainedCfg:
    """What timm knows of the weights it offers for a model: normalisation, name of the classifier, hub id."""
    config = timm.get_pretrained_cfg(name)
    assert config is not None
    return config


def _created(name: str, **options: Any) -> nn.Module:
    model = timm.create_model(name, **options)
    assert isinstance(model, nn.Module)
    return model


def _from_file(name: str, path: Path) -> nn.Module:
    try:
        state = load_file(path)
    except (OSError, SafetensorError) as error:
        raise TeacherError(f"{path} cannot be read as safetensors: {error}.", param="teacher.weights") from error
    classifier = native_config(name).classifier
    first = classifier[0] if isinstance(classifier, tuple | list) else classifier
    bias = state.get(f"{first}.bias")
    model = _created(name, num_classes=0 if bias is None else len(bias))
    try:
        model.load_state_dict(state)
    except RuntimeError as error:
        reason = str(error).splitlines()[1].strip() if "\n" in str(error) else str(error)
        raise TeacherError(f"{path} does not hold the weights of {name}: {reason}", param="teacher.weights") from error
    return model


# --- where a model is cut


def find_blocks(model: nn.Module) -> tuple[TeacherBlock, ...]:
    """The blocks of a timm model, from its structure and one pass over shapes (no arithmetic is done).

    Raises:
        TeacherError: the model has no stages that this way finds.
    """
    if keeps_resolution(model):
        return _token_blocks(model)
    modules = _stage_ends(model)
    size = NATIVE_SIZE
    blocks: list[TeacherBlock] = []
    before = 1
    for module, shape in _output_shapes(model, modules, size).items():
        if len(shape) != 4 or size // shape[-1] < MIN_REDUCTION:
            continue
        reduction = round(size / shape[-1])
        blocks.append(
            TeacherBlock(module=module, channels=shape[1], reduction=reduction, stride=max(1, reduction // before))
        )
        before = reduction
    if not blocks:
        raise TeacherError(f"{type(model).__name__} has no stages that give feature maps.", param="teacher.model")
    return tuple(blocks)


def find_cuts(model: nn.Module) -> dict[str, int]:
    """Every module after which :func:`cut` can cut a timm model, in order, with the reduction of its map; see :class:`Teacher`."""
    if keeps_resolution(model):
        return {stage["module"]: 0 for stage in _feature_info(model)}
    size = NATIVE_SIZE
    shapes = _output_shapes(model, list(_opened(model)), size)
    maps = {module: round(size / shape[-1]) for module, shape in shapes.items() if len(shape) == 4}
    return {module: reduction for module, reduction in maps.items() if MIN_REDUCTION <= reduction <= MAX_REDUCTION}


def _opened(module: nn.Module, prefix: str = "") -> Iterator[str]:
    """Paths of the modules in the order in which they end; of a stack its layers too, before itself."""
    for name, child in module.named_children():
        if isinstance(child, nn.Sequential):
            yield from _opened(child, f"{prefix}{name}.")
        yield prefix + name


def _feature_info(model: nn.Module) -> list[dict[str, Any]]:
    if not hasattr(model, "feature_info"):
        raise TeacherError(f"{type(model).__name__} does not say where its stages end.", param="teacher.model")
    info: Any = model.feature_info
    return list(info)


def keeps_resolution(model: nn.Module) -> bool:
    """Whether the model is a transformer whose tokens keep one resolution from the first layer to the last."""
    info = _feature_info(model)
    return len(info) > len(TOKEN_REDUCTIONS) and len({stage["reduction"] for stage in info}) == 1


def _token_blocks(model: nn.Module) -> tuple[TeacherBlock, ...]:
    info = _feature_info(model)
    quarters = range(1, len(TOKEN_REDUCTIONS) + 1)
    ends = [info[len(info) * quarter // len(TOKEN_REDUCTIONS) - 1] for quarter in quarters]
    return tuple(
        TeacherBlock(module=end["module"], channels=end["num_chs"], reduction=reduction, stride=reduction // before)
        for end, reduction, before in zip(ends, TOKEN_REDUCTIONS, (1, *TOKEN_REDUCTIONS[:-1]), strict=True)
    )


def _stage_ends(model: nn.Module) -> list[str]:
    """The stages that timm names, and the numbered stacks of layers that stand beside them in the same container."""
    named = [stage["module"] for stage in _feature_info(model)]
    parent = Counter(name.rpartition(".")[0] for name in named).most_common(1)[0][0]
    ends = []
    for name, child in model.get_submodule(parent).named_children():
        path = f"{parent}.{name}" if parent else name
        if path in named or (name.isdigit() and isinstance(child, nn.Sequential)):
            ends.append(path)
    return ends


def count_flops(model: nn.Module, modules: Sequence[str]) -> dict[str, int]:
    """Multiply-adds of one image of the native size down to the end of each module, and of the whole model under ``""``."""
    flops: dict[str, int] = {}
    with FlopCounterMode(display=False) as counter:

        def count(path: str, _output: Any) -> None:
            flops[path] = counter.get_total_flops() // 2

        _pass_shapes(model, modules, NATIVE_SIZE, count)
    return {path: flops[path] for path in modules} | {"": counter.get_total_flops() // 2}


def _output_shapes(model: nn.Module, modules: Sequence[str], size: int) -> dict[str, torch.Size]:
    """Output shape of each module for one image of ``size``."""
    shapes: dict[str, torch.Size] = {}

    def record(path: str, output: Any) -> None:
        if isinstance(output, Tensor):
            shapes[path] = output.shape

    _pass_shapes(model, modules, size, record)
    return {path: shapes[path] for path in modules if path in shapes}


def _pass_shapes(model: nn.Module, modules: Sequence[str], size: int, ended: Callable[[str, Any], None]) -> None:
    """One image through the model on shapes alone; ``ended`` is told the path and the output of each module."""

    def hook(path: str) -> Any:
        return lambda _module, _inputs, output: ended(path, output)

    handles = [model.get_submodule(path).register_forward_hook(hook(path)) for path in modules]
    state = {name: tensor.to("meta") for name, tensor in [*model.named_parameters(), *model.named_buffers()]}
    training = model.training
    try:
        torch.func.functional_call(model.eval(), state, (torch.empty(1, 3, size, size, device="meta"),))
    finally:
        model.train(training)
        for handle in handles:
            handle.remove()


# --- the maps


class Chain(nn.Module):
    """A model whose modules run one after another, cut after each boundary; what lies behind the last one is dropped."""

    def __init__(self, model: nn.Module, boundaries: Sequence[str]) -> None:
        super().__init__()
        self.segments = nn.ModuleList(nn.Sequential(*segment) for segment in _cut(model, boundaries))
        self.depth = len(boundaries)

    def forward(self, images: Tensor, depth: int) -> list[Tensor]:
        """Maps after boundaries 1 to ``depth``."""
        maps = []
        x = images
        for segment in self.segments[:depth]:
            x = segment(x)
            maps.append(x)
        return maps


def _cut(model: nn.Module, boundaries: Sequence[str]) -> list[list[nn.Module]]:
    segments: list[list[nn.Module]] = []
    current: list[nn.Module] = []
    waiting = list(boundaries)
    for path, module in _in_order(model, boundaries):
        current.append(module)
        if path == waiting[0]:
            segments.append(current)
            current = []
            waiting.pop(0)
        if not waiting:
            return segments
    raise TeacherError(
        f"{type(model).__name__} cannot be cut after {waiting[0]!r}: a boundary is a module that runs in sequence, and "
        f"boundaries are given from the first to the last. Its stages end at "
        f"{', '.join(block.module for block in find_blocks(model))}.",
        param="teacher.boundaries",
    )


def _in_order(module: nn.Module, boundaries: Sequence[str], prefix: str = "") -> Iterator[tuple[str, nn.Module]]:
    """The modules in the order in which they run; a stack that holds a boundary is opened."""
    for name, child in module.named_children():
        path = prefix + name
        if isinstance(child, nn.Sequential) and any(boundary.startswith(path + ".") for boundary in boundaries):
            yield from _in_order(child, boundaries, path + ".")
        else:
            yield path, child


class Tokens(nn.Module):
    """A transformer cut after some of its layers; tokens become maps, class and register tokens are dropped."""

    def __init__(self, model: nn.Module, boundaries: Sequence[str]) -> None:
        super().__init__()
        offered = [stage["module"] for stage in _feature_info(model)]
        layers = [offered.index(boundary) if boundary in offered else -1 for boundary in boundaries]
        if min(layers) < 0 or layers != sorted(layers) or len(layers) > len(TOKEN_REDUCTIONS):
            raise TeacherError(
                f"{type(model).__name__} cannot be cut after {', '.join(boundaries)}: name up to "
                f"{len(TOKEN_REDUCTIONS)} of {offered[0]} to {offered[-1]}, in order.",
                param="teacher.boundaries",
            )
        self.model, self.layers, self.depth = model, layers, len(layers)

    def forward(self, images: Tensor, depth: int) -> list[Tensor]:
        """Maps after boundaries 1 to ``depth``, at reductions 4, 8, 16, 32."""
        maps = self.model.forward_intermediates(  # type: ignore[operator]
            images, indices=self.layers[:depth], stop_early=True, intermediates_only=True, output_fmt="NCHW"
        )
        sides = [-(-images.shape[-1] // reduction) for reduction in TOKEN_REDUCTIONS]
        return [_resampled(tokens, side) for tokens, side in zip(maps, sides, strict=False)]


def _resampled(tokens: Tensor, side: int) -> Tensor:
    if side < tokens.shape[-1]:
        return F.adaptive_avg_pool2d(tokens, side)
    return F.interpolate(tokens, size=(side, side), mode="bilinear", align_corners=False)


def cut(model: nn.Module, boundaries: Sequence[str]) -> Chain | Tokens:
    """The model in parts, itself unchanged.

    Raises:
        TeacherError: it does not have those boundaries.
    """
    return Tokens(model, boundaries) if keeps_resolution(model) else Chain(model, boundaries)


def check(model: nn.Module, spec: ResolvedSpec) -> None:
    """Looks, on shapes alone, whether the model can supervise the search: be cut as it says, take images of its size, and end
    each block at the resolution of the space.

    Raises:
        TeacherError: it cannot.
    """
    boundaries, size = spec.teacher.boundaries, spec.input_size
    cut(model, boundaries)
    try:
        shapes = _output_shapes(model, boundaries, size)
    except (AssertionError, RuntimeError) as error:  # A transformer of another size; maps that shrank to nothing.
        raise TeacherError(
            f"{spec.teacher.model} cannot take images of {size} pixels ({error}). Ask for {NATIVE_SIZE} (--input-size, "
            "input_size of a spec), or for another teacher.",
            param="input_size",
        ) from error
    if not keeps_resolution(model):
        check_sides(spec, [shapes[boundary][-1] for boundary in boundaries])


class Teacher(nn.Module):
    """A frozen supervisor: batch norm by its running statistics, no gradients, no deeper than needed.

    Args:
        model: the trained timm model.
        boundaries: modules after which it is cut, one for each block of the space.
        mean, std: normalisation that the model was trained with, per channel; the images it is given are normalised by
            ``pixels.MEAN`` and ``pixels.STD``.
    """

    def __init__(
        self,
        model: nn.Module,
        boundaries: Sequence[str],
        *,
        mean: Sequence[float] = pixels.MEAN,
        std: Sequence[float] = pixels.STD,
    ) -> None:
        super().__init__()
        for module in model.modules():  # A map that was handed out must not change when the next block runs.
            if getattr(module, "inplace", False):
                module.inplace = False  # type: ignore[assignment]
        self.trunk = cut(model, boundaries)
        ours = torch.tensor([pixels.MEAN, pixels.STD]).view(2, 1, 3, 1, 1)
        theirs = torch.tensor([list(mean), list(std)]).view(2, 1, 3, 1, 1)
        self.same = bool(torch.equal(ours, theirs))
        self.scale: Tensor
        self.shift: Tensor
        self.register_buffer("scale", ours[1] / theirs[1])
        self.register_buffer("shift", (ours[0] - theirs[0]) / theirs[1])
        self.requires_grad_(False)
        self.eval()

    def train(self, mode: bool = True) -> Teacher:  # noqa: ARG002
        """Stays in evaluation mode."""
        return super().train(False)

    @torch.no_grad()
    def features(self, images: Tensor, boundaries: Collection[int]) -> dict[int, Tensor]:
        """Feature maps (B, C, H, W) after some boundaries, numbered from 1; 0 is the images themselves."""
        x = images if self.same else images * self.scale + self.shift
        maps = self.trunk(x, max(boundaries)) if max(boundaries) else []
        return {number: maps[number - 1] if number else images for number in boundaries}

    def shapes(self, input_size: int) -> list[torch.Size]:
        """Shapes (C, H, W) of the maps at boundary 0, the image, to the last."""
        image = torch.zeros(1, 3, input_size, input_size, device=self.scale.device)
        return [map_.shape[1:] for map_ in self.features(image, range(self.trunk.depth + 1)).values()]


def load_teacher(spec: ResolvedSpec, run: Path, device: torch.device) -> Teacher:
    """The teacher that :func:`run_step` left in the run folder, cut as the spec says."""
    about = json.loads((run / files.TEACHER).read_text())
    model = build(spec.teacher.model, weights=run / files.TEACHER_WEIGHTS)
    teacher = Teacher(model, spec.teacher.boundaries, mean=about["mean"], std=about["std"])
    return teacher.to(device).to(memory_format=torch.channels_last)


# --- the step

#: Where there is no GPU, a teacher that is trained on the search's images within minutes.
SMALL = "resnet18"


def _downloaded(name: str, device: torch.device) -> nn.Module:
    """The model with timm's weights.

    Raises:
        TeacherError: they cannot be had; says how to do without them on this device.
    """
    try:
        return build(name, pretrained=True)
    except TeacherError as error:
        raise TeacherError(f"{error.message} {_without_download(device)}", param=error.param) from error


def _without_download(device: torch.device) -> str:
    if device.type == "cpu":
        return (
            f"Or train a small teacher on the images of the search: --teacher {SMALL} --weights train (teacher.model and "
            "teacher.weights of a spec)."
        )
    return "Or train the teacher on the images of the search: --weights train (teacher.weights of a spec)."


def run_step(spec: ResolvedSpec, step: Step, context: Context) -> Result:
    """Makes the teacher: trains it on the search's own images, downloads it, or takes the file it is given.

    Writes ``teacher.safetensors`` (weights, head included) and ``teacher.json`` (accuracy on the test images and what it
    says where the classes are the search's, normalisation, blocks), and logs what will weaken the ratings.

    Raises:
        TeacherError: weights that cannot be had, boundaries that the model does not have, or an input size that does not suit it.
        Interrupted: told to stop; a checkpoint was written.
    """
    about: dict[str, Any] = {
        "model": spec.teacher.model,
        "weights": spec.teacher.weights,
        "accuracy": None,
        "test": None,
    }
    mean: Sequence[float] = pixels.MEAN
    std: Sequence[float] = pixels.STD
    if spec.teacher.weights == "train":
        model, fitted = _trained(spec, step, context)
        about |= {"accuracy": fitted.test_accuracy, "test": fitted.test.model_dump(mode="json")}
    elif spec.teacher.weights == "pretrained":
        model = _downloaded(spec.teacher.model, context.device)
        mean, std = native_config(spec.teacher.model).mean, native_config(spec.teacher.model).std
    else:
        model = build(spec.teacher.model, weights=Path(spec.teacher.weights))
    check(model, spec)  # Before anything is kept.
    for weakness in advice(spec):
        context.reporter.emit(Log(level="warning", message=weakness))
    about |= {"mean": list(mean), "std": list(std), "boundaries": spec.teacher.boundaries}
    about["blocks"] = [vars(block) for block in find_blocks(model)]
    context.run.mkdir(parents=True, exist_ok=True)
    weights = {name: tensor.detach().cpu().contiguous() for name, tensor in model.state_dict().items()}
    save_file(weights, context.run / files.TEACHER_WEIGHTS)
    (context.run / files.TEACHER).write_text(json.dumps(about, indent=1))
    checkpoint.remove(context.run / step.checkpoint)
    found = TeacherFound(accuracy=about["accuracy"], test=about["test"], **vars(count_model(model, spec.input_size)))
    return found.result(step.outputs(spec))


def _trained(spec: ResolvedSpec, step: Step, context: Context) -> tuple[nn.Module, train.FitResult]:
    torch.manual_seed(spec.seed)
    model = build(spec.teacher.model, num_classes=spec.dataset.num_classes)
    calm_classifier(model)
    check(model, spec)  # Before it is trained for nothing.
    recipe = Recipe.of_teacher(spec.teacher)
    fitted = train.fit(
        model,
        batches.load_splits(spec, context.device),
        recipe,
        seed=spec.seed,
        context=context,
        checkpoint=context.run / step.checkpoint,
        part="teacher",
    )
    return model, fitted
