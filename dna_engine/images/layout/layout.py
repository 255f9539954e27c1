"""Which pictures of a folder are which class's, as people arrange them: for uploads, folders of a server and the command line.

Class folders lie at the top, or in ``train``, ``val`` and ``test``, by whatever name people know those (``class_folders.py``); or the
pictures lie flat, and a table says what they show (``labelled.py``). One folder around all is passed over. What cannot be understood in
one way only is an error that says what was seen and how to arrange it; what is not used is told: no class is made, merged or dropped
in silence. Torch-free.
"""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from dna_engine.images.check.report import Finding, Findings, Level
from dna_engine.images.info import Arrangement
from dna_engine.images.layout.class_folders import by_folders, by_splits, find_splits, no_classes
from dna_engine.images.layout.folders import Folder, read_folder, wrong
from dna_engine.images.layout.labelled import by_labels, is_flat
from dna_engine.images.layout.labels import Labels, read_labels
from dna_engine.images.layout.parts import WANTED, Part
from dna_engine.images.layout.split_names import Split, split_of
from dna_engine.images.pictures.foreign import kind_not_read

#: Share of every class that is kept for testing where there are no test images.
TEST_SHARE = 0.2

#: Findings by which nobody's data is left out.
_NOTHING_MISSED = frozenset({"clutter", "labels_of_table", "val"})


@dataclass(frozen=True)
class Layout:
    """The images of a dataset, of the same classes in all parts.

    Attributes:
        val: those to decide by, where they are given beside those to test with; else some are held out of ``train``.
        findings: what was left out, and how it was read where that is not plain.
    """

    train: Part
    test: Part
    val: Part | None = None
    findings: Sequence[Finding] = ()

    @property
    def parts(self) -> dict[Split, Part]:
        """Those that there are, by name."""
        every: dict[Split, Part | None] = {"train": self.train, "val": self.val, "test": self.test}
        return {split: part for split, part in every.items() if part is not None}

    @property
    def files(self) -> list[Path]:
        return [path for part in self.parts.values() for path in part.files]

    @property
    def left_out(self) -> list[str]:
        """The findings that somebody may miss something by, as sentences."""
        return [finding.sentence for finding in self.findings if finding.code not in _NOTHING_MISSED]


def read_layout(root: Path, arrangement: Arrangement = "auto", *, within: Sequence[Path] | None = None) -> Layout:
    """The dataset that lies in a folder. Where it has no test images, ``val`` becomes them; where it has neither, a fifth of every
    class, the same files for the same names.

    Args:
        arrangement: ``classes``: the folders at the top are the classes, with all that lies below them.
        within: folders, without links in their paths, that links below ``root`` must stay in; default: they may lead anywhere.

    Raises:
        DataError: it is none, it could be understood in several ways, or a link leads out.
    """
    if not root.is_dir():
        raise wrong(f"{root} is no folder. {WANTED}")
    whole, findings = read_folder(root, within=within), Findings()
    top = _inmost(whole, arrangement)
    parts, labels = _read_parts(whole, top, arrangement, findings)
    for part in parts.values():
        if len(part.classes) < 2:
            raise wrong(f"There is one class, {', '.join(part.classes)}; at least two are needed.")
    layout = _decide(parts)
    _tell_of_val(layout, parts, findings)
    _tell_the_rest(whole, labels, findings)
    return Layout(layout.train, layout.test, layout.val, findings.all())


def read_arranged(root: Path) -> Layout:
    """The dataset of a folder that was made by ``arrange.arrange``: its parts and classes, by no guess.

    Raises:
        DataError: it is not there.
    """
    if not root.is_dir():
        raise wrong(f"The dataset {root.name} has not been unpacked here.")
    parts = {split_of(folder.name): by_folders(folder, "classes") for folder in read_folder(root).folders}
    return Layout(parts["train"], parts["test"], parts.get("val"))


def _inmost(whole: Folder, arrangement: Arrangement) -> Folder:
    """The folder around which there are only others with nothing else in them."""
    top = whole
    while not top.pictures and len(top.folders) == 1 and (arrangement == "classes" or "train" not in find_splits(top)):
        top = top.folders[0]
    return top


def _read_parts(
    whole: Folder, top: Folder, arrangement: Arrangement, findings: Findings
) -> tuple[dict[Split | None, Part], Labels]:
    """The parts by name; None is that of a dataset without parts."""
    if arrangement == "classes":
        return {None: by_folders(top, arrangement)}, Labels()
    splits = find_splits(top)
    if is_flat(top, splits):
        labels = read_labels(whole, findings)
        if labels.of:
            return by_labels(top, splits, labels, findings), labels
        if labels.in_vain:
            raise wrong(labels.in_vain[0])
    if not any(folder.count for folder in top.folders):
        raise wrong(no_classes(whole, top))
    if splits:
        return by_splits(top, splits, findings), Labels()
    return {None: by_folders(top, arrangement)}, Labels()


def _decide(parts: dict[Split | None, Part]) -> Layout:
    """Which part is for what."""
    if None in parts:
        train, test = _keep_some(parts[None])
        return Layout(train, test)
    whole, val, test_part = parts["train"], parts.get("val"), parts.get("test")
    for other in (val, test_part):
        if other is not None:
            _refuse_other_classes(whole, other)
    tested = test_part or val
    if tested is None:
        return Layout(*_keep_some(whole))
    if test_part is None:
        return Layout(whole, tested)
    return Layout(whole, tested, val)


def _refuse_other_classes(train: Part, test: Part) -> None:
    for one, other in ((test, train), (train, test)):
        if lacking := sorted(one.classes.keys() - other.classes.keys()):
            raise wrong(
                f"There is {one.shown}{lacking[0]}/ but no {other.shown}{lacking[0]}/: every class needs images to train and to "
                "test with. Add the one, or leave the other out."
            )


def _keep_some(whole: Part) -> tuple[Part, Part]:
    kept: dict[str, list[Path]] = {}
    for name, files in whole.classes.items():
        if len(files) < 2:
            raise wrong(f"The class {name!r} has one image; it needs at least two, one to train and one to test with.")
        kept[name] = sorted(random.Random(name).sample(files, max(1, round(TEST_SHARE * len(files)))))
    rest = {name: sorted(set(files) - set(kept[name])) for name, files in whole.classes.items()}
    return (
        Part(whole.root, rest, whole.shown, whole.by_table),
        Part(whole.root, kept, whole.shown, whole.by_table),
    )


def _tell_of_val(layout: Layout, parts: dict[Split | None, Part], findings: Findings) -> None:
    if layout.val:
        findings.add(
            "val",
            Level.NOTE,
            f"{layout.val.shown} decides which network is chosen, and {layout.test.shown} is only reported.",
        )
    elif "val" in parts:
        findings.add(
            "val", Level.NOTE, f"There is no part to test with but {layout.test.shown}: some training images decide."
        )


def _tell_the_rest(whole: Folder, labels: Labels, findings: Findings) -> None:
    used = {folder.shown + path.name for folder in whole.walk() for path in folder.others if path in labels.tables}
    others = [name for name in whole.other_names if name not in used]
    pictures = [name for name in others if kind_not_read(name)]
    rest = [name for name in others if not kind_not_read(name)]
    if pictures:
        ways = {f"{kind}: {advice}" for name in pictures if (told := kind_not_read(name)) for kind, advice in [told]}
        findings.add(
            "not_read",
            Level.WARNING,
            f"Files that are not read are left out. Of {'; of '.join(sorted(ways))}.",
            pictures,
        )
    if rest:
        findings.add("other_files", Level.NOTE, "Files that are no images are left out.", rest)
    if clutter := [name for folder in whole.walk() for name in folder.clutter]:
        findings.add("clutter", Level.NOTE, "What systems and editors leave behind is left out.", clutter)
    if used:
        findings.add("labels_of_table", Level.NOTE, "What the pictures show was taken from a table.", sorted(used))
