"""A network answers to a picture as its bundle does, and says why it does not."""

from __future__ import annotations

import io

import numpy as np
import onnxruntime
import pytest
from PIL import Image

from dna_engine.answer import Answerer
from dna_engine.errors import DataError
from dna_engine.images.pictures.file import HeldFile
from dna_engine.images.pictures.pixels import Look, preprocessing
from dna_engine.images.pictures.prepare import prepare
from tests.api.networks import onnx_of_colours

MEMORY = 1_000_000
MODEL = onnx_of_colours(3)


def picture(kind: str, mode: str, size: tuple[int, int] = (90, 60), turned: int = 1) -> HeldFile:
    pixels = np.random.default_rng(0).integers(0, 256, (size[1], size[0], 4), dtype=np.uint8)
    exif = Image.Exif()
    exif[0x0112] = turned
    content = io.BytesIO()
    Image.fromarray(pixels).convert(mode).save(content, kind, exif=exif)
    return HeldFile("photo", content.getvalue())


@pytest.mark.parametrize(
    ("sent", "look"),
    [
        (picture("JPEG", "RGB", turned=6), Look()),
        (picture("PNG", "RGBA"), Look("pad", "#1080f0")),
        (picture("PNG", "L"), Look("squash")),
        (picture("GIF", "P"), Look()),
    ],
    ids=["turned", "see-through", "grey", "palette"],
)
def test_the_probabilities_are_those_of_the_bundle(sent: HeldFile, look: Look) -> None:
    how = preprocessing(96, ["jay", "owl", "wren"], look)
    images = prepare(sent.open("rb"), how)[None]  # type: ignore[arg-type]  # Pillow takes a file as well as a path.
    (logits,) = onnxruntime.InferenceSession(MODEL).run(None, {"images": images})[0]
    found = Answerer(MODEL, how).probabilities(sent, memory=MEMORY)
    assert found == pytest.approx(np.exp(logits) / np.exp(logits).sum(), rel=1e-5)
    assert found.sum() == pytest.approx(1)


@pytest.mark.parametrize(
    ("sent", "reason"),
    [
        (HeldFile("notes.jpg", b"These are no pixels."), "notes.jpg cannot be read as a picture: "),
        (HeldFile("photo", picture("JPEG", "RGB").content[:900]), "photo cannot be read as a picture: "),
        (HeldFile("photo.heic", b"\0\0\0\x18ftypheic" + bytes(100)), "HEI"),
        (HeldFile("text.ppm", b"P3 1 1 255 0 0 0"), "save it as PNG"),
        (picture("PNG", "RGB", (650, 400)), "takes 1,040,078 bytes of memory, more than 1,000,000"),
        (picture("JPEG", "RGB", (400, 350)), "takes 1,120,000 bytes of memory, more than 1,000,000"),
        (picture("PNG", "RGBA", (220, 200)), "takes 1,056,000 bytes of memory, more than 1,000,000"),
    ],
    ids=["no picture", "cut off", "heic", "slow", "large", "large where it is not examined", "large in layers"],
)
def test_what_is_no_picture_or_too_large_is_refused_with_the_reason(sent: HeldFile, reason: str) -> None:
    answerer = Answerer(MODEL, preprocessing(32, ["jay", "owl", "wren"]))
    with pytest.raises(DataError) as refused:
        answerer.probabilities(sent, memory=MEMORY)
    assert reason in refused.value.message
