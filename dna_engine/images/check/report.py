"""What the check of a dataset says: how many pictures of what, and what was found that people should know. Torch-free.

Whoever reads a dataset tells what it meets to :class:`Findings`; nothing is left out or changed without one. A code says what, once:
what comes again under it is counted, and the first few names are kept, so that a million pictures take no more room than ten.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable, Mapping
from enum import StrEnum
from typing import Annotated

from pydantic import AfterValidator, BaseModel, ConfigDict, Field

#: Names that a finding keeps; the others are counted.
NAMED = 5
#: Of a dataset, in the order in which they are told.
_SPLITS = ("train", "val", "test")


def printable(text: str) -> str:
    """What somebody called something, as it can be stored and shown anywhere: control characters, NUL among them, and halves of letters
    are written as escapes."""
    return "".join(repr(letter)[1:-1] if unicodedata.category(letter) in ("Cc", "Cs") else letter for letter in text)


Shown = Annotated[str, AfterValidator(printable)]


class Level(StrEnum):
    """What a finding asks for.

    NOTE: nothing; how a picture was read, or what was left out.
    WARNING: a look; the images can be used, and what comes of them may say little.
    ERROR: a change; the dataset is not taken as it is.
    """

    NOTE = "note"
    WARNING = "warning"
    ERROR = "error"


class Finding(BaseModel):
    """Something that was found, and of how many."""

    model_config = ConfigDict(frozen=True)

    code: str = Field(pattern=r"^[a-z][a-z0-9_]*$", description="Stable, snake_case: what was found.")
    level: Level = Field(description="What it asks for: nothing, a look, or a change.")
    count: int = Field(ge=1, description="Of how many pictures, files, folders or classes it is true.")
    names: list[Shown] = Field(description="Of the first few, as the user has them.")
    text: Shown = Field(description="What it is and what to do, in whole sentences.")

    @property
    def sentence(self) -> str:
        """The text, with the names and how many there are behind it."""
        if not self.names:
            return self.text
        more = f" and {self.count - len(self.names):,} more" if self.count > len(self.names) else ""
        return f"{self.text} ({self.count:,}: {', '.join(self.names)}{more})"


class Findings:
    """What has been found so far, by code, in the order in which it was met first.

    A reader that looks at ten thousand pictures one by one says each time what it saw::

        findings.add("greyscale", Level.NOTE, "Grey pictures become colour pictures of three equal channels.", [name])
    """

    def __init__(self, found: Iterable[Finding] = ()) -> None:
        self._found: dict[str, Finding] = {}
        self.take(found)

    def add(self, code: str, level: Level, text: str, names: Iterable[str] = (), *, count: int | None = None) -> None:
        """One more, or several.

        Args:
            names: of what it is true of. Those beyond the first few are counted and let go.
            count: of how many it is true; default: of those named, or of one.
        """
        named = list(names)
        self._merge(
            Finding(
                code=code,
                level=level,
                count=count if count is not None else max(1, len(named)),
                names=named[:NAMED],
                text=text,
            )
        )

    def take(self, found: Iterable[Finding]) -> None:
        """Adds what another has found."""
        for finding in found:
            self._merge(finding)

    def all(self) -> list[Finding]:
        """Errors first, then warnings, then notes."""
        order = list(Level)
        return sorted(self._found.values(), key=lambda finding: -order.index(finding.level))

    def _merge(self, new: Finding) -> None:
        known = self._found.get(new.code)
        if known is not None:
            names = [*known.names, *new.names][:NAMED]
            new = known.model_copy(update={"count": known.count + new.count, "names": names})
        self._found[new.code] = new


def _in_habit(splits: dict[str, int]) -> dict[str, int]:
    """However they were kept: train, val, test."""
    return {name: splits[name] for name in sorted(splits, key=lambda name: (_SPLITS.index(name), name))}


def _most_first(counts: dict[str, int]) -> dict[str, int]:
    return dict(sorted(counts.items(), key=lambda item: (-item[1], item[0])))


Splits = Annotated[dict[str, int], AfterValidator(_in_habit)]
Counts = Annotated[dict[str, int], AfterValidator(_most_first)]


class ClassCount(BaseModel):
    """A class, and how many pictures of it each split has."""

    model_config = ConfigDict(frozen=True)

    name: str = Field(description="Of the class.")
    images: Splits = Field(description="By split: `train`, `test` and, where there is one, `val`.")


class Bin(BaseModel):
    """Pictures whose shorter side is at least ``start`` and less than ``end`` pixels."""

    model_config = ConfigDict(frozen=True)

    start: int = Field(description="Least side, pixels.")
    end: int = Field(description="Side that is too large for the bin, pixels.")
    images: int = Field(description="How many pictures they are.")


class Sizes(BaseModel):
    """Shorter sides in pixels, as the pictures are stored."""

    model_config = ConfigDict(frozen=True)

    smallest: int = Field(description="Of all pictures.")
    median: int = Field(description="Half of the pictures are no smaller.")
    largest: int = Field(description="Of all pictures.")
    histogram: list[Bin] = Field(description="Bins by ascending side; those without pictures are left out.")

    @classmethod
    def of(cls, sides: Mapping[int, int]) -> Sizes:
        """From how many pictures have each side, at least one.

        The bins double from one to the next, so that 8 and 8,000 pixels go into one picture.
        """
        ordered = sorted(sides)
        bins: dict[int, int] = {}
        for side in ordered:
            start = 1 << side.bit_length() - 1
            bins[start] = bins.get(start, 0) + sides[side]
        histogram = [Bin(start=start, end=2 * start, images=images) for start, images in bins.items()]
        return cls(smallest=ordered[0], median=_median(sides), largest=ordered[-1], histogram=histogram)


def _median(sides: Mapping[int, int]) -> int:
    left = sum(sides.values()) // 2
    for side in sorted(sides):
        left -= sides[side]
        if left < 0:
            return side
    raise AssertionError("there is no picture")


class Report(BaseModel):
    """The check of a dataset, as it is kept and shown."""

    model_config = ConfigDict(frozen=True)

    splits: Splits = Field(description="Pictures by split.")
    classes: list[ClassCount] = Field(description="In the order of their numbers.")
    sizes: Sizes | None = Field(default=None, description="None where no picture could be read.")
    modes: Counts = Field(default_factory=dict, description="Pictures by mode, as Pillow names it: RGB, L, P, CMYK.")
    formats: Counts = Field(default_factory=dict, description="Pictures by format: JPEG, PNG.")
    findings: list[Finding] = Field(default_factory=list, description="Errors first, then warnings, then notes.")

    @property
    def errors(self) -> list[Finding]:
        """Why the dataset is not taken; none where it is."""
        return self.at(Level.ERROR)

    def at(self, level: Level) -> list[Finding]:
        """What was found of a level."""
        return [finding for finding in self.findings if finding.level == level]
