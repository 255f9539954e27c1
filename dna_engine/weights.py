"""Files of weights that strangers send: whether one holds those of a model of the catalogue, by its header alone. Torch-free.

A safetensors file is eight bytes with the length of a JSON header, the header (type, shape and place of every tensor), and the numbers.
What the models have is in ``weights.json.xz``, written with the catalogue from the models themselves, without memory for their weights.
"""

from __future__ import annotations

import functools
import json
import lzma
import math
import os
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from importlib.resources import files
from typing import IO, Any

from dna_engine.catalogue import get_teacher
from dna_engine.errors import TeacherError

#: Bytes that a header may have: that of the largest model of the catalogue has a fiftieth.
LONGEST_HEADER = 4 << 20
#: Sides of a tensor at most: torch's own weights have four, of convolutions over volumes five.
_MOST_SIDES = 8
#: Bytes of a number, by its type.
_SIZES = {"F64": 8, "F32": 4, "F16": 2, "BF16": 2, "I64": 8, "I32": 4}
#: Counters of batch norms; nothing that supervises asks for them.
_COUNTERS = "num_batches_tracked"
#: So many tensors of a kind are named.
_NAMED = 5


@dataclass(frozen=True)
class Expected:
    """What the weights of a model are.

    Attributes:
        shapes: of its tensors, as it is made for its native classes.
        classifiers: modules whose first dimension is the number of classes.
        normalised: mean and std per channel of the images that timm's weights are for, by tag; ``""`` where none is named.
    """

    shapes: Mapping[str, tuple[int, ...]]
    classifiers: Sequence[str]
    normalised: Mapping[str, tuple[Sequence[float], Sequence[float]]]


def expected(model: str) -> Expected:
    """What the weights of a model of the catalogue are, its name with a tag or without.

    Raises:
        UnknownName: it is not there.
    """
    name, _, _ = get_teacher(model).name.partition(".")
    row = _table()[name]
    shapes = {tensor: tuple(shape) for tensor, shape in row["shapes"].items()}
    return Expected(shapes, row["classifiers"], row["normalised"])


@functools.cache
def _table() -> Mapping[str, Any]:
    """Of every model by name; some megabytes, which take longer to read than most of what is asked of them."""
    with files("dna_engine").joinpath("weights.json.xz").open("rb") as packed, lzma.open(packed) as file:
        return dict(json.load(file))


def normalisation(model: str) -> tuple[Sequence[float], Sequence[float]]:
    """Mean and std of the images that timm's weights of that name are for."""
    known = expected(model).normalised
    mean, std = known.get(model.partition(".")[2]) or known[""]
    return mean, std


def count_classes(model: str, file: IO[bytes], filename: str = "") -> int:
    """The classes that weights in a safetensors file answer with; nothing but its header is read.

    Raises:
        UnknownName: there is no such model.
        TeacherError: it is no such file, or does not hold the weights of that model; names what is wrong.
    """
    wanted, found = expected(model), _shapes(file, filename)
    classes = {found[f"{head}.weight"][0] for head in wanted.classifiers if found.get(f"{head}.weight")}
    if len(classes) != 1 or min(classes) < 2:
        _refuse(model, [f"it has no classifier ({', '.join(wanted.classifiers)})"])
    [number] = classes
    shapes = {name: _for_classes(name, shape, wanted, number) for name, shape in wanted.shapes.items()}
    if wrong := list(_differences(shapes, found)):
        _refuse(model, wrong)
    return number


def _for_classes(name: str, shape: tuple[int, ...], wanted: Expected, classes: int) -> tuple[int, ...]:
    return (classes, *shape[1:]) if name.rpartition(".")[0] in wanted.classifiers else shape


def _differences(wanted: Mapping[str, tuple[int, ...]], found: Mapping[str, tuple[int, ...]]) -> Iterator[str]:
    missing = [name for name in wanted if name not in found and not name.endswith(_COUNTERS)]
    surplus = [name for name in found if name not in wanted]
    others = [
        f"{name} has the shape {list(found[name])}, not {list(shape)}"
        for name, shape in wanted.items()
        if found.get(name, shape) != shape
    ]
    for said, names in (("missing: ", missing), ("surplus: ", surplus), ("", others)):
        if names:
            more = f" and {len(names) - _NAMED} more" if len(names) > _NAMED else ""
            yield said + ", ".join(name[:200] for name in names[:_NAMED]) + more


def _refuse(model: str, reasons: Sequence[str]) -> None:
    raise TeacherError(f"The file does not hold the weights of {model}; {'; '.join(reasons)}.", param="file")


def _shapes(file: IO[bytes], filename: str) -> dict[str, tuple[int, ...]]:
    """Shapes of the tensors by name; nothing of the file is left out, nothing lies twice in it."""
    size = file.seek(0, os.SEEK_END)
    file.seek(0)
    start = file.read(8)
    length = int.from_bytes(start, "little")
    plausible = len(start) == 8 and length <= min(LONGEST_HEADER, size - 8)
    if filename.endswith((".pt", ".pth", ".bin", ".ckpt", ".pkl")) or (not plausible and start[:1] in (b"P", b"\x80")):
        raise TeacherError(
            "Only safetensors are read: a pickle, as torch.save writes it (.pt, .pth, .bin), may run any code. Convert it where you trust "
            'it: torch.load(FILE, weights_only=True) gives the tensors, safetensors.torch.save_file(TENSORS, "model.safetensors") '
            "writes them.",
            param="file",
        )
    if not plausible:
        raise _damaged("its header is cut off or too long")
    try:
        header = json.loads(file.read(length), object_pairs_hook=_once)
        header.pop("__metadata__", None)
        return dict(_places(header, size - 8 - length))
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        raise _damaged(f"its header is none: {str(error)[:200]}") from error


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) < len(pairs):
        raise ValueError("a name stands twice in it")
    return found


def _places(header: Mapping[str, Any], size: int) -> Iterator[tuple[str, tuple[int, ...]]]:
    """Name and shape of each tensor, in the order of their places, which must fill the file."""
    end = 0
    for name, about in sorted(header.items(), key=lambda entry: entry[1]["data_offsets"]):
        (begin, after), shape = about["data_offsets"], tuple(about["shape"])
        if about["dtype"] not in _SIZES:
            raise ValueError(f"{name[:200]} is of the type {str(about['dtype'])[:20]}, not one of {', '.join(_SIZES)}")
        if not all(type(side) is int and side >= 0 for side in (begin, after, *shape)):
            raise ValueError(f"{name[:200]} has no shape or place")
        if not name.isprintable():
            raise ValueError("the name of a tensor holds characters that cannot be shown")
        if len(shape) > _MOST_SIDES:
            raise ValueError(f"{name[:200]} has {len(shape):,} sides")
        if begin != end or after - begin != _SIZES[about["dtype"]] * math.prod(shape):
            raise ValueError(f"{name[:200]} does not lie behind the tensor before it, or is not as large as its shape")
        end = after
        yield name, shape
    if end != size:
        raise ValueError(f"its tensors have {end:,} bytes, the file {size:,}")


def _damaged(reason: str) -> TeacherError:
    return TeacherError(f"The file is no safetensors file: {reason}.", param="file")
