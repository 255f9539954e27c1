"""Checkpoints: one safetensors file that holds a nested state, written so that a reader never sees half of it.

The tensors are the file's tensors, the structure around them is JSON in its metadata. Nothing is pickled: a checkpoint
that came over the network can be read without trusting who wrote it. The one before is kept beside it: when the last is
damaged, a step loses what came after the one before, not everything.
"""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file

from dna_engine.checkpoint_file import SHA256, STRUCTURE, before, check, digest
from dna_engine.disk import room_on
from dna_engine.errors import DamagedCheckpoint
from dna_engine.events import Log, Reporter


def save(path: Path, state: Mapping[str, Any]) -> None:
    """Writes a state of dicts (keys text or whole numbers), lists, tuples, tensors, text, numbers, booleans and None.

    The file appears whole under its name or not at all, also after a power cut: written beside it, flushed to disk,
    renamed. Tensors are kept bit by bit, with their memory format, on the CPU.

    Raises:
        TypeError: the state holds something else.
        DiskFull: there is no room for it. The one before stays.
    """
    tensors: dict[str, torch.Tensor] = {}
    structure = json.dumps(_encode(state, tensors))
    path.parent.mkdir(parents=True, exist_ok=True)
    beside = path.with_name(f".{path.name}.{os.getpid()}")
    needed = len(structure) + sum(tensor.nbytes for tensor in tensors.values())
    try:
        with room_on("the run folder", path.parent, needed=needed):
            contents = (_bytes(tensor) for tensor in tensors.values())
            save_file(tensors, beside, metadata={STRUCTURE: structure, SHA256: digest(structure, contents)})
            _flush(beside)
        if path.exists():
            path.replace(before(path))
        beside.replace(path)
    finally:
        beside.unlink(missing_ok=True)
    _flush(path.parent)


def load(path: Path) -> dict[str, Any] | None:
    """The state that :func:`save` wrote, tensors on the CPU; None when there is no such file.

    Raises:
        DamagedCheckpoint: the file is damaged or is not a checkpoint.
    """
    if not path.exists():
        return None
    check(path)
    try:
        with safe_open(path, framework="pt") as file:
            structure = json.loads((file.metadata() or {})[STRUCTURE])
            state = _decode(structure, {name: file.get_tensor(name) for name in file.keys()})  # noqa: SIM118
    except (SafetensorError, OSError, KeyError, ValueError) as error:
        raise DamagedCheckpoint(path, str(error)) from error
    assert isinstance(state, dict)
    return state


def resume(path: Path, reporter: Reporter) -> dict[str, Any] | None:
    """The state to go on from: of the checkpoint, of the one before where it is damaged; None to start from the beginning.

    What is lost by that is told as a warning.
    """
    damaged = False
    for candidate in (path, before(path)):
        try:
            state = load(candidate)
        except DamagedCheckpoint as error:
            reporter.emit(Log(level="warning", message=f"The checkpoint {error.name} is damaged: {error.reason}."))
            damaged = True
            continue
        if state is not None:
            if candidate != path:
                reporter.emit(Log(level="warning", message="Goes on from the checkpoint before the last."))
            return state
    if damaged:
        reporter.emit(Log(level="warning", message="No checkpoint can be read: starts from the beginning."))
    return None


def remove(path: Path) -> None:
    """Removes the checkpoint and the one before, where they are: the step is done."""
    path.unlink(missing_ok=True)
    before(path).unlink(missing_ok=True)


def _bytes(tensor: torch.Tensor) -> Any:
    """The memory of a contiguous tensor."""
    return tensor.reshape(-1).view(torch.uint8).numpy().data


def _encode(value: Any, tensors: dict[str, torch.Tensor]) -> Any:
    """JSON for a value; its tensors go to ``tensors`` under numbered names."""
    match value:
        case torch.Tensor():
            name = f"t{len(tensors)}"
            tensors[name] = value.detach().to("cpu", copy=True).contiguous()
            return {"tensor": name, "channels_last": _is_channels_last(value)}
        case Mapping():
            return {"dict": [[_key(key), _encode(item, tensors)] for key, item in value.items()]}
        case list() | tuple():
            return {type(value).__name__: [_encode(item, tensors) for item in value]}
        case None | bool() | int() | float() | str():
            return value
    raise TypeError(f"A checkpoint cannot hold {type(value).__name__}.")


def _is_channels_last(tensor: torch.Tensor) -> bool:
    """Kept because fused optimizers pair the elements of a weight and of its moments by their place in memory."""
    return not tensor.is_contiguous() and tensor.dim() == 4 and tensor.is_contiguous(memory_format=torch.channels_last)


def _key(key: Any) -> str | int:
    if not isinstance(key, str | int):
        raise TypeError(f"A checkpoint's keys are text or whole numbers, not {type(key).__name__}.")
    return key


def _decode(value: Any, tensors: Mapping[str, torch.Tensor]) -> Any:
    match value:
        case {"tensor": name, "channels_last": channels_last}:
            return tensors[name].contiguous(memory_format=torch.channels_last) if channels_last else tensors[name]
        case {"dict": items}:
            return {key: _decode(item, tensors) for key, item in items}
        case {"list": items}:
            return [_decode(item, tensors) for item in items]
        case {"tuple": items}:
            return tuple(_decode(item, tensors) for item in items)
    return value


def _flush(path: Path) -> None:
    """Waits until a file, or a folder's list of names, is on the disk."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
