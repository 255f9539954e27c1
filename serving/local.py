"""Networks from files of this machine: an ONNX file, a bundle, or a folder of what was downloaded."""

from __future__ import annotations

import json
import zipfile
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from serving.errors import CannotServe
from serving.network import Network, Precision, Wanted

File = Path | zipfile.Path

#: Files with these names are told apart by their folder.
_EVERYWHERE = ("model", "bundle", "network")


def load(wanted: Wanted) -> Network:
    """The network at the path ``wanted.ref``.

    Raises:
        CannotServe: it holds no such network, or several; says what there is.
    """
    path = Path(wanted.ref)
    try:
        if path.suffix.lower() == ".onnx":
            return _of(wanted, _name(path), path, [path.with_suffix(".json"), path.with_name("architecture.json")])
        files = list(path.iterdir()) if path.is_dir() else list(zipfile.Path(path).iterdir())
        onnx = _only(wanted, files)
        if onnx is None:
            bundle = next((file for file in files if isinstance(file, Path) and _is_bundle(file)), None)
            if bundle is None:
                raise CannotServe(f"{path} holds no ONNX file of {wanted.precision}, nor a bundle.zip with one.")
            return load(Wanted(str(bundle), wanted.precision, wanted.called or path.resolve().name))
        return _of(wanted, _name(path), onnx, files)
    except (OSError, zipfile.BadZipFile) as error:
        raise CannotServe(f"{path} cannot be read: {error}") from error


def _is_bundle(file: Path) -> bool:
    """A model repository of Triton, which a download has too, is another kind of archive."""
    return file.suffix == ".zip" and not file.name.endswith(".triton.zip")


def _name(path: Path) -> str:
    path = path.resolve()
    return path.parent.name if path.stem in _EVERYWHERE else path.name.removesuffix(path.suffix)


def _only(wanted: Wanted, files: Iterable[File]) -> File | None:
    """The file of that precision."""
    of_8_bits = wanted.precision is Precision.INT8
    found = [file for file in files if file.name.endswith(".onnx") and ("int8" in file.name) == of_8_bits]
    if len(found) > 1:
        names = ", ".join(sorted(file.name for file in found))
        raise CannotServe(f"{wanted.ref} holds several networks: {names}. Name the file itself.")
    return found[0] if found else None


def _of(wanted: Wanted, name: str, onnx: File, beside: Iterable[File]) -> Network:
    return wanted.named(name, onnx.read_bytes(), _preprocessing(onnx, beside))


def _preprocessing(onnx: File, beside: Iterable[File]) -> Mapping[str, Any] | None:
    """What the description of the network says: the JSON file of its own name goes first, where a folder has several."""
    own = onnx.name.removesuffix(".onnx")
    described = [file for file in beside if file.name.endswith(".json") and file.is_file()]
    for file in sorted(described, key=lambda file: (not own.startswith(file.name.removesuffix(".json")), file.name)):
        try:
            content = json.loads(file.read_text())
        except ValueError:
            continue
        how = content.get("preprocessing") if isinstance(content, dict) else None
        if isinstance(how, dict) and isinstance(how.get("classes"), list):
            return how
    return None
