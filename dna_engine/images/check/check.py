"""The check of a dataset: every picture is opened once, and what people should know of them is counted. Torch-free.

What is kept of a picture is counted at once or takes some bytes, so that a hundred thousand take no more memory than their names.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from dna_engine import defaults
from dna_engine.images.check import balance, likeness, mirrored, samples
from dna_engine.images.check.duplicates import Contents
from dna_engine.images.check.facts import Facts, Fault
from dna_engine.images.check.likeness import Sampled
from dna_engine.images.check.report import ClassCount, Findings, Report, Sizes
from dna_engine.images.check.subject import Subject
from dna_engine.images.pictures.decoder import Decoder
from dna_engine.images.pictures.picture import open_picture
from dna_engine.images.pictures.pixels import Look
from dna_engine.images.seen import Seen

#: Told how many pictures of how many were looked at.
Told = Callable[[int, int], None]

TRAIN, TEST = "train", "test"


def unheard(done: int, total: int) -> None:
    """For who tells nobody."""


@dataclass(frozen=True)
class Looked:
    """What a check has found, and what it has seen of the pictures that can be read.

    Attributes:
        one_way: as ``DatasetInfo`` has it.
    """

    report: Report
    seen: Seen
    one_way: bool = False


def check(
    subject: Subject,
    decoder: Decoder,
    *,
    told: Told = unheard,
    stopped: Callable[[], bool] = lambda: False,
) -> Looked:
    """Looks at all pictures.

    Raises:
        Interrupted: ``stopped`` said so.
    """
    tally = _Tally(subject, Findings(subject.findings))
    for number, (_, what) in enumerate(decoder.examined(subject.files, stopped)):
        tally.add(number, what)
        told(number + 1, len(subject.files))
    tally.contents.tell(tally.findings, subject.name)
    balance.tell(tally.findings, subject.classes, subject.counts(TRAIN), subject.counts(TEST))
    if tally.unreadable:
        return Looked(tally.report(), tally.seen)
    tally.seen.tell(tally.findings, defaults.input_size(tally.seen.described["image_size"]))
    look = tally.seen.look
    likeness.tell(tally.findings, subject.classes, _sampled(subject, TRAIN, look), _sampled(subject, TEST, look))
    taken = _mirrored(subject, look)
    mirrored.tell(tally.findings, subject.classes, taken)
    return Looked(tally.report(), tally.seen, one_way=bool(taken))


@dataclass
class _Tally:
    """What was seen so far."""

    subject: Subject
    findings: Findings
    seen: Seen = field(default_factory=Seen)
    modes: Counter[str] = field(default_factory=Counter)
    formats: Counter[str] = field(default_factory=Counter)
    contents: Contents = field(default_factory=Contents)
    unreadable: int = 0

    def add(self, number: int, what: Facts | Fault) -> None:
        what.tell(self.subject.name(number), self.findings)
        if isinstance(what, Fault):
            self.unreadable += 1
            return
        self.seen.add(what.width, what.height, peak=what.peak)
        self.modes[what.mode] += 1
        self.formats[what.format] += 1
        split, label = (int(numbers[number]) for numbers in (self.subject.splits, self.subject.labels))
        self.contents.add(number, what.digest, split=split, label=label)

    def report(self) -> Report:
        counts = {split: self.subject.counts(split) for split in self.subject.parts}
        return Report(
            splits={split: count.total() for split, count in counts.items()},
            classes=[
                ClassCount(name=name, images={split: count[label] for split, count in counts.items()})
                for label, name in enumerate(self.subject.classes)
            ],
            sizes=Sizes.of(self.seen.sides) if self.seen.sides else None,
            modes=dict(self.modes),
            formats=dict(self.formats),
            findings=self.findings.all(),
        )


def _sampled(subject: Subject, split: str, look: Look) -> Sampled:
    """Small copies of a bounded number of pictures of a split."""
    by_class = subject.by_class(split)
    chosen = _chosen(by_class, likeness.sample([len(numbers) for numbers in by_class]))
    vectors = [likeness.vector(open_picture(subject.files[number], look)) for _, number in chosen]
    return Sampled(np.array(vectors), np.array([label for label, _ in chosen]))


def _mirrored(subject: Subject, look: Look) -> list[tuple[int, int]]:
    """The classes whose mirror images look like another's, and which."""
    by_class = subject.by_class(TRAIN)
    chosen = _chosen(by_class, mirrored.sample([len(numbers) for numbers in by_class]))
    if not chosen:
        return []
    copies = [mirrored.small_copies(open_picture(subject.files[number], look)) for _, number in chosen]
    originals, images = (np.array(each) for each in zip(*copies, strict=True))
    return list(mirrored.taken_for_others(originals, images, [label for label, _ in chosen]))


def _chosen(by_class: Sequence[Sequence[int]], wanted: Sequence[Sequence[int]]) -> list[tuple[int, int]]:
    """Class and number of each picture that is wanted, by its place in its class."""
    return [
        (label, numbers[place])
        for label, (numbers, places) in enumerate(zip(by_class, wanted, strict=True))
        for place in places
    ]


def write_samples(subject: Subject, target: Path, look: Look) -> None:
    """A few pictures of each class to train with, as networks see them and :mod:`dna_engine.images.check.samples` keeps them."""
    with samples.SampleWriter(target) as writer:
        for numbers in subject.by_class(TRAIN):
            shown = samples.spread(numbers)
            writer.add_class((subject.name(number), open_picture(subject.files[number], look)) for number in shown)
