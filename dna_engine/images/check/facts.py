"""What is known of one picture file once it has been read through: for the check of a dataset. Torch-free."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable
from dataclasses import dataclass

from PIL import Image, ImageFile

from dna_engine.images.check.report import Findings, Level
from dna_engine.images.pictures.file import PictureFile
from dna_engine.images.pictures.frames import frames
from dna_engine.images.pictures.picture import TWO_CHANNELS, drafted, orientation, peak, refuse_slow, upright_size
from dna_engine.images.pictures.prepare import WHITE, range_of, refuse_unknown_white

#: What is white in grey of more than 8 bits, by what cameras and scanners write: 10, 12, 14 and 16 bits, or 8 in the room of 16.
_WHITES = (255, 1_023, 4_095, 16_383, WHITE)
#: Of 8 bits, what 12 bits written into 16 do not reach.
_BRIGHT = 16
#: A reason may be so long.
_SHOWN = 200


@dataclass(frozen=True, slots=True)
class Facts:
    """A picture that can be used.

    Attributes:
        width, height: in pixels, as a person sees it: turned as its EXIF orientation says.
        mode: as stored, as Pillow names it: RGB, L, P, CMYK, I;16.
        format: as Pillow names it: JPEG, PNG.
        turned: its EXIF orientation is another than as it lies.
        frames: pictures in the file, of which the first is used; counted up to a thousand.
        transparent: some of it lets the background through.
        peak: largest value of 16 bits of grey; 0 for any other.
        cut_bits: it has more than 8 bits for each colour, of which the first 8 are used.
        dark: and nothing in it is bright then.
        digest: SHA-256 of the file.
    """

    width: int
    height: int
    mode: str
    format: str
    turned: bool
    frames: int
    transparent: bool
    peak: int
    cut_bits: bool
    dark: bool
    digest: str

    @property
    def side(self) -> int:
        """The shorter one."""
        return min(self.width, self.height)

    def tell(self, name: str, findings: Findings) -> None:
        """Adds what is done to it that its owner may not expect."""
        for code, (holds, text) in _NOTES.items():
            if holds(self):
                findings.add(code, Level.NOTE, text, [name])
        if self.dark:
            findings.add(
                "dark",
                Level.WARNING,
                "Pictures of 16 bits for each colour that are nearly black: a camera may have written 12 bits into 16. Save them with 8.",
                [name],
            )


@dataclass(frozen=True, slots=True)
class Fault:
    """A file that cannot be used as a picture, and why."""

    reason: str

    def tell(self, name: str, findings: Findings) -> None:
        """Adds that it cannot be used."""
        findings.add(
            "unreadable",
            Level.ERROR,
            "Files that cannot be used as images: remove or replace them.",
            [f"{name}: {self.reason}"],
        )


#: What is done to a picture that its owner may not expect, by code: of which it is true, and the words.
_NOTES: dict[str, tuple[Callable[[Facts], bool], str]] = {
    "greyscale": (
        lambda facts: facts.mode in ("1", "L", "LA", "F", "I") or facts.mode.startswith("I;16"),
        "Grey pictures become colour pictures of three equal channels.",
    ),
    "turned": (lambda facts: facts.turned, "Pictures are turned as their EXIF orientation says."),
    "transparent": (
        lambda facts: facts.transparent,
        "What is transparent shows the background, which is white unless a job's field background says otherwise.",
    ),
    "several_frames": (
        lambda facts: facts.frames > 1,
        "Of files that hold several pictures, such as animations and pages, the first is used.",
    ),
    "other_colours": (
        lambda facts: facts.mode in ("CMYK", "LAB", "YCbCr", "HSV"),
        "Colours of print (CMYK), of Lab and of YCbCr become RGB by formula, without regard to profiles.",
    ),
    "deep_grey": (
        lambda facts: facts.peak > 0,
        "Grey of 16 bits is scaled to 8 by one range for all pictures: of 8, 10, 12, 14 and 16 bits the least that holds the brightest.",
    ),
    "float_grey": (
        lambda facts: facts.mode == "F",
        "Grey of 32-bit floats is scaled to 8 bits from the range 0 to 1.",
    ),
    "cut_bits": (
        lambda facts: facts.cut_bits,
        "Of colours of 16 bits the first 8 are used.",
    ),
}


def examine(path: PictureFile) -> Facts | Fault:
    """Reads a file through, as it is read to train with; JPEGs at a small scale, which reads the whole file all the same."""
    try:
        with drafted(path) as (image, size):
            range_of(image, WHITE)
            refuse_slow(image)
            deep_colours = _has_deep_colours(image)
            held = orientation(image)
            image.load()
            refuse_unknown_white(image)
            width, height = upright_size(image, size)
            return Facts(
                width=width,
                height=height,
                mode=image.mode,
                format=image.format or "",
                turned=held != 1 or orientation(image) != 1,
                frames=frames(image, path),
                transparent=_is_transparent(image),
                peak=peak(image),
                cut_bits=deep_colours,
                dark=deep_colours and _is_dark(image),
                digest=_digest(path),
            )
    except Exception as error:  # A decoder may raise anything on bytes from a stranger.
        return Fault(f"{type(error).__name__}: {error}".replace(str(path), path.name)[:_SHOWN])


def white_of(peaks: Iterable[int]) -> int:
    """What is white in the pictures of a set: one value for all, so that equal values stay equal.

    Args:
        peaks: the largest value of each of its pictures of 16 bits of grey.
    """
    brightest = max(peaks, default=0)
    return next(white for white in _WHITES if brightest <= white) if brightest else WHITE


def _has_deep_colours(image: Image.Image) -> bool:
    """Of its decoder's arguments one tells of what is to be unpacked, such as RGB;16B."""
    tiles = image.tile if isinstance(image, ImageFile.ImageFile) else []
    modes = [tile.args if isinstance(tile.args, str) else (tile.args or ("",))[0] for tile in tiles[:1]]
    return image.mode.startswith("RGB") and any(";16" in str(mode) for mode in modes)


def _is_dark(image: Image.Image) -> bool:
    counts = image.histogram()[: 3 * 256]
    return not any(count for value, count in enumerate(counts) if value % 256 >= _BRIGHT)


def _is_transparent(image: Image.Image) -> bool:
    """Whether any pixel is, not only whether there could be one."""
    if image.mode in ("RGBA", "RGBa"):
        return any(image.histogram()[-256:-1])
    if image.mode in TWO_CHANNELS:  # Pillow keeps these in the room of four, and counts the wrong ones.
        return any(image.getchannel(1).histogram()[:-1])
    through = image.info.get("transparency")
    if image.mode == "P" and through is not None:
        opacity = through if isinstance(through, bytes) else b"\xff" * through + b"\0"
        return any(used and alpha < 255 for used, alpha in zip(image.histogram(), opacity, strict=False))
    return image.has_transparency_data


def _digest(path: PictureFile) -> str:
    digest = hashlib.sha256()
    with path.open("rb") as file:
        while piece := file.read(1 << 20):
            digest.update(piece)
    return digest.hexdigest()
