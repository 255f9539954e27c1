"""Lets a downloaded network name photos, with onnxruntime, Pillow and numpy alone.

    python classify.py winner.onnx winner.json FOLDER [--held-out]

Prints what the network takes each photo in FOLDER for, and how surely; FOLDER may be one photo. Where it has folders of photos that
are called as the classes are, prints how many of them the network names right instead: of photos that it was trained on more than of
others. ``--held-out`` takes only those that the search tested its networks on:
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
FORMATS = ("AVIF", "BMP", "GIF", "JPEG", "PNG", "PPM", "TIFF", "WEBP")
TRAIN_FOLDERS = ("train", "training")
TEST_FOLDERS = ("test", "testing", "val", "valid", "validation")  #: The first that there is.
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
        how = json.loads(options.description.read_text(encoding="utf-8"))["preprocessing"]
        session = onnxruntime.InferenceSession(options.model.read_bytes(), providers=["CPUExecutionProvider"])
        loose = [options.folder] if options.folder.is_file() else pictures(options.folder, deep=False)
        photos = {} if loose else photos_by_class(options.folder, held_out=options.held_out)
    except OSError as error:
        parser.error(str(error))
    except (ValueError, KeyError, TypeError):
        parser.error(f"{options.description} does not describe a network; model and description belong in this order.")
    if photos.keys() - set(how["classes"]):
        parser.error(f"{options.folder} has folders {list(photos)}, the network knows {how['classes']}.")
    if not loose and not any(photos.values()):
        parser.error(f"{options.folder} has no photos.")
    return name_photos(session, how, loose) if loose else count_right(session, how, photos)


def name_photos(session: onnxruntime.InferenceSession, how: dict[str, Any], photos: list[Path]) -> int:
    """Prints what each photo is taken for, and how surely; one that cannot be read does not keep the others."""
    unreadable = 0
    for photo in photos:
        try:
            (shares,) = answers(session, how, [photo])
        except OSError as error:
            unreadable += 1
            print(f"{photo.name}: {error}", file=sys.stderr)
        else:
            print(f"{photo.name}: {how['classes'][shares.argmax()]} ({shares.max():.0%})")
    return 2 if unreadable else 0


def count_right(session: onnxruntime.InferenceSession, how: dict[str, Any], photos: dict[str, list[Path]]) -> int:
    """Prints how many photos are named as their folders; of classes of several sizes the mean of their shares too."""
    right: dict[str, int] = {}
    for label, files in photos.items():
        try:
            found = answers(session, how, files) if files else []
        except OSError as error:
            print(f"{label}/: {error}", file=sys.stderr)
            return 2
        right[label] = sum(how["classes"][shares.argmax()] == label for shares in found)
    counts = {label: len(files) for label, files in photos.items() if files}
    whole = sum(counts.values())
    mean = sum(right[label] / count for label, count in counts.items()) / len(counts)
    also = f"; {mean:.2%} as the mean of the classes" if len(set(counts.values())) > 1 else ""
    print(f"{sum(right.values())} of {whole} photos right: {sum(right.values()) / whole:.2%}{also}")
    return 0


def answers(session: onnxruntime.InferenceSession, how: dict[str, Any], paths: list[Path]) -> list[Any]:
    """For each photo the shares of the classes, which sum to one."""
    found = []
    for images in batches(paths, how):
        (logits,) = session.run(None, {"images": images})
        weights = np.exp(logits - logits.max(1, keepdims=True))
        found += list(weights / weights.sum(1, keepdims=True))
    return found


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


def pictures(folder: Path, *, deep: bool = True) -> list[Path]:
    """Those in the folder, and further down where ``deep``."""
    inside = folder.rglob("*") if deep else folder.iterdir()
    found = (path for path in inside if path.suffix.lower() in SUFFIXES)
    return sorted(path for path in found if all(map(is_visible, path.relative_to(folder).parts)))


def is_visible(name: str) -> bool:
    return not name.startswith(".") and name != "__MACOSX"


def kept(name: str, files: list[Path]) -> list[Path]:
    """The fifth of a class that the service keeps for testing: the same files for the same names."""
    return random.Random(name).sample(files, max(1, round(0.2 * len(files))))


def batches(paths: list[Path], how: dict[str, Any]) -> Iterator[Any]:
    for start in range(0, len(paths), BATCH):
        yield np.stack([prepared(open_photo(path, how), how) for path in paths[start : start + BATCH]])


def open_photo(path: Path, how: dict[str, Any]) -> Image.Image:
    """The photo as the search saw it: upright, 8 bits of red, green and blue, what is transparent on the background."""
    with Image.open(path, formats=FORMATS) as stored:
        white = 1 if stored.mode == "F" else how.get("white", 65_535) if stored.mode.startswith("I") else 0
        inverted = getattr(stored, "tag_v2", {}).get(262) == 0
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
        if white:
            shares = np.minimum(np.asarray(image, np.float32) / white, 1)
            return Image.fromarray(np.rint(255 * (1 - shares if inverted else shares)).astype(np.uint8)).convert("RGB")
        if image.has_transparency_data:
            below = Image.new("RGBA", image.size, how.get("background", "white"))
            image = Image.alpha_composite(below, image.convert("RGBA"))
        return image.convert("RGB")


def prepared(image: Image.Image, how: dict[str, Any]) -> Any:
    """The image as the network's input: (3, size, size), float32."""
    square = squared(image, how)
    margin = (how["resize"] - how["size"]) // 2
    middle = square.crop((margin, margin, margin + how["size"], margin + how["size"]))
    return ((np.asarray(middle) / 255 - how["mean"]) / how["std"]).astype(np.float32).transpose(2, 0, 1)


def squared(image: Image.Image, how: dict[str, Any]) -> Image.Image:
    """The square in its middle, the whole with the background beside it, or the whole squashed."""
    size, fit = how["resize"], how.get("fit", "crop")
    width, height = image.size
    if fit == "pad":
        longer = max(width, height)
        inner = (max(1, round(size * width / longer)), max(1, round(size * height / longer)))
        whole = Image.new("RGB", (size, size), how["background"])
        whole.paste(image.resize(inner, Image.Resampling.BILINEAR), ((size - inner[0]) // 2, (size - inner[1]) // 2))
        return whole
    side = min(width, height)
    left, top = ((width - side) / 2, (height - side) / 2) if fit == "crop" else (0, 0)
    return image.resize((size, size), Image.Resampling.BILINEAR, box=(left, top, width - left, height - top))


if __name__ == "__main__":
    sys.exit(main())
