"""Lets a downloaded network name photos, with onnxruntime, Pillow and numpy alone.

    python classify.py winner.onnx winner.json FOLDER [--held-out]

Prints what the network takes each photo in FOLDER for. Where FOLDER has folders of photos that are called as the classes are,
prints how many of them the network names right instead. ``--held-out`` takes only those that the search tested its networks on:
the ones in ``val/`` or ``test/``, or else the fifth of every class that the service keeps. That gives the test accuracy the service
tells.
"""

from __future__ import annotations

import argparse
import json
import random
import struct
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import onnxruntime
from PIL import Image, ImageOps

SUFFIXES = {".bmp", ".gif", ".jpeg", ".jpg", ".png", ".ppm", ".tif", ".tiff", ".webp"}
FORMATS = ("BMP", "GIF", "JPEG", "PNG", "PPM", "TIFF", "WEBP")
TRAIN_FOLDERS = ("train", "training")
TEST_FOLDERS = ("val", "valid", "validation", "test", "testing")
BATCH = 64


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("model", type=Path, help="the ONNX file")
    parser.add_argument("description", type=Path, help="the JSON file of the same network")
    parser.add_argument("folder", type=Path, help="photos, or a folder of them for every class")
    parser.add_argument(
        "--held-out", action="store_true", help="only the photos that the search tested its networks on"
    )
    options = parser.parse_args()
    try:
        how = json.loads(options.description.read_text())["preprocessing"]
        loose = [path for path in pictures(options.folder) if path.parent == options.folder]
        photos = {} if loose else photos_by_class(options.folder, held_out=options.held_out)
        if photos.keys() - set(how["classes"]):
            parser.error(f"{options.folder} has folders {list(photos)}, the network knows {how['classes']}.")
        labelled = [(path, label) for label, files in photos.items() for path in files]
        names = answers(options.model, loose or [path for path, _ in labelled], how)
    except OSError as error:  # Among others: a photo that is none.
        parser.error(str(error))
    if loose:
        print("\n".join(f"{path.name}: {name}" for path, name in zip(loose, names, strict=True)))
    elif labelled:
        right = sum(name == label for name, (_, label) in zip(names, labelled, strict=True))
        print(f"{right} of {len(labelled)} photos right: {right / len(labelled):.2%}")
    else:
        parser.error(f"{options.folder} has no photos.")
    return 0


def answers(model: Path, paths: list[Path], how: dict[str, Any]) -> list[str]:
    """What the network takes each photo for."""
    session = onnxruntime.InferenceSession(model.read_bytes(), providers=["CPUExecutionProvider"])
    logits = (session.run(None, {"images": images})[0] for images in batches(paths, how))
    return [how["classes"][number] for found in logits for number in found.argmax(1)]


def photos_by_class(folder: Path, *, held_out: bool) -> dict[str, list[Path]]:
    """The photos by the names of their folders; one folder around all is passed over, and so is what systems leave behind."""
    folders = visible_folders(folder)
    while len(folders) == 1 and visible_folders(folders[0]):
        folders = visible_folders(folders[0])
    if not held_out:
        return {path.name: pictures(path) for path in folders}
    parts = {path.name.lower(): visible_folders(path) for path in folders}
    if tested := next((parts[name] for name in TEST_FOLDERS if parts.get(name)), None):
        return {path.name: pictures(path) for path in tested}
    trained = next((parts[name] for name in TRAIN_FOLDERS if parts.get(name)), folders)
    return {path.name: kept(path.name, pictures(path)) for path in trained}


def visible_folders(folder: Path) -> list[Path]:
    return sorted(path for path in folder.iterdir() if path.is_dir() and is_visible(path.name))


def pictures(folder: Path) -> list[Path]:
    """Those in the folder or further down."""
    found = (path for path in folder.rglob("*") if path.suffix.lower() in SUFFIXES)
    return sorted(path for path in found if all(map(is_visible, path.relative_to(folder).parts)))


def is_visible(name: str) -> bool:
    return not name.startswith(".") and name != "__MACOSX"


def kept(name: str, files: list[Path]) -> list[Path]:
    """The fifth of a class that the service keeps for testing: the same files for the same names."""
    return random.Random(name).sample(files, max(1, round(0.2 * len(files))))


def batches(paths: list[Path], how: dict[str, Any]) -> Iterator[Any]:
    for start in range(0, len(paths), BATCH):
        yield np.stack([prepared(open_photo(path), how) for path in paths[start : start + BATCH]])


def open_photo(path: Path) -> Image.Image:
    """The photo as the search saw it: upright, 8 bits of red, green and blue, what is transparent on white."""
    with Image.open(path, formats=FORMATS) as stored:
        sixteen_bits = stored.mode.startswith("I;16") or stored.mode == "I"
        stored.load()
        try:
            image = ImageOps.exif_transpose(stored)
        except (
            SyntaxError,
            ValueError,
            KeyError,
            TypeError,
            OSError,
            struct.error,
        ):  # Notes of a camera that are broken.
            image = stored
        if sixteen_bits:
            return Image.fromarray(np.rint(np.asarray(image) / 257).astype(np.uint8)).convert("RGB")
        if image.has_transparency_data:
            image = Image.alpha_composite(Image.new("RGBA", image.size, "white"), image.convert("RGBA"))
        return image.convert("RGB")


def prepared(image: Image.Image, how: dict[str, Any]) -> Any:
    """The middle of the image as the network's input: (3, size, size), float32."""
    width, height = image.size
    side = min(width, height)
    left, top = (width - side) / 2, (height - side) / 2
    around = (how["resize"], how["resize"])
    square = image.resize(around, Image.Resampling.BILINEAR, box=(left, top, left + side, top + side))
    margin = (how["resize"] - how["size"]) // 2
    middle = square.crop((margin, margin, margin + how["size"], margin + how["size"]))
    return ((np.asarray(middle) / 255 - how["mean"]) / how["std"]).astype(np.float32).transpose(2, 0, 1)


if __name__ == "__main__":
    sys.exit(main())
