"""Which pictures of a folder are which class's, as people arrange them: for uploads, folders of a server and the command line.

Class folders lie at the top, or in ``train``, ``val`` and ``test``, by whatever name people know those (``split_names.py``); or the
pictures lie flat, and a table says what they show (``labels.py``). One folder around all is passed over. What cannot be understood in
one way only is an error that says what was seen and how to arrange it; what is not used is told: no class is made, merged or dropped
in silence. Torch-free.
"""

from __future__ import annotations

import random
import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from dna_engine.images.folders import Folder, folded, read_folder, wrong
from dna_engine.images.info import Arrangement
from dna_engine.images.kinds import READ, kind_not_read
from dna_engine.images.labels import Labels, read_labels
from dna_engine.images.report import NAMED, Finding, Findings, Level
from dna_engine.images.split_names import Split, split_of

#: Share of every class that is kept for testing where there are no test images.
TEST_SHARE = 0.2

_WANTED = (
    "A dataset is one folder of images for every class; or train/ and test/ (or val/, or all three) with such folders; or images "
    "beside a table of their names and labels (CSV or JSON)."
)
_OR_CLASSES = "Where they are classes all the same, say so: layout=classes."
#: Parts of a whole that have numbers, not meanings.
_NUMBERED = re.compile(
    r"(k?[ _-]?fold|cv|split|part|partition|chunk|shard|batch|subset|set|volume)[ _-]?\d+", re.IGNORECASE
)
#: What people call folders of pictures, and of what says something of each: those of one set for detection or segmentation.
_PICTURES = frozenset({"images", "image", "imgs", "img", "jpegimages", "photos", "pictures", "input", "inputs"})
_ABOUT = frozenset(
    {
        "masks", "mask", "labels", "label", "annotations", "annotation", "annots", "annot", "gt", "groundtruth", "ground_truth", "seg",
        "segmentation", "segmentations", "segmentationclass", "segmentationobject", "targets", "bboxes", "boxes", "xmls",
    }
)  # fmt: skip


#: Findings by which nobody's data is left out.
_NOTHING_MISSED = frozenset({"clutter", "labels_of_table"})


@dataclass(frozen=True)
class Part:
    """The pictures of one part of a dataset by their classes, all sorted.

    Attributes:
        root: the folder that they lie below.
        shown: what the part is called, for people.
        by_table: whether a table says what they show, not their folders.
    """

    root: Path
    classes: dict[str, list[Path]]
    shown: str = ""
    by_table: bool = False

    @property
    def files(self) -> list[Path]:
        return [path for files in self.classes.values() for path in files]

    @property
    def placed(self) -> Iterator[tuple[str, Path]]:
        """Every picture with its place among class folders, as a path with slashes."""
        for name, files in self.classes.items():
            for path in files:
                inside = path.relative_to(self.root).as_posix()
                yield (f"{name}/{inside}" if self.by_table else inside), path


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
        raise wrong(f"{root} is no folder. {_WANTED}")
    whole, findings = read_folder(root, within=within), Findings()
    top = _inmost(whole, arrangement)
    parts, labels = _read_parts(whole, top, arrangement, findings)
    for part in parts.values():
        if len(part.classes) < 2:
            raise wrong(f"There is one class, {', '.join(part.classes)}; at least two are needed.")
    layout = _decide(parts)
    _tell_the_rest(whole, labels, findings)
    return Layout(layout.train, layout.test, layout.val, findings.all())


def read_arranged(root: Path) -> Layout:
    """The dataset of a folder that was made by ``arrange.arrange``: its parts and classes, by no guess.

    Raises:
        DataError: it is not there.
    """
    if not root.is_dir():
        raise wrong(f"The dataset {root.name} has not been unpacked here.")
    parts = {split_of(folder.name): _by_folders(folder, "classes") for folder in read_folder(root).folders}
    return Layout(parts["train"], parts["test"], parts.get("val"))


def _inmost(whole: Folder, arrangement: Arrangement) -> Folder:
    """The folder around which there are only others with nothing else in them."""
    top = whole
    while not top.pictures and len(top.folders) == 1 and (arrangement == "classes" or "train" not in _splits(top)):
        top = top.folders[0]
    return top


def _read_parts(
    whole: Folder, top: Folder, arrangement: Arrangement, findings: Findings
) -> tuple[dict[Split | None, Part], Labels]:
    """The parts by name; None is that of a dataset without parts."""
    if arrangement == "classes":
        return {None: _by_folders(top, arrangement)}, Labels()
    splits = _splits(top)
    if _is_flat(top, splits):
        labels = read_labels(whole, findings)
        if labels.of:
            return _by_labels(top, splits, labels, findings), labels
        if labels.in_vain:
            raise wrong(labels.in_vain[0])
    if not any(folder.count for folder in top.folders):
        raise wrong(_no_classes(whole, top))
    if splits:
        return _by_splits(top, splits, findings), Labels()
    return {None: _by_folders(top, arrangement)}, Labels()


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


# --- parts by name


def _splits(top: Folder) -> dict[Split, Folder]:
    """Which folders are the parts of a dataset; none where such a name is a class's, since images lie in it directly."""
    named = [(split, folder) for folder in top.folders if (split := split_of(folder.name)) is not None]
    if not any(split == "train" and folder.folders for split, folder in named) and len(named) < len(top.folders):
        return {}
    found: dict[Split, Folder] = {}
    for split, folder in named:
        if split in found:
            raise wrong(f"{found[split].shown} and {folder.shown} are both {split} images; put them into one folder.")
        found[split] = folder
    return found


def _by_splits(top: Folder, splits: dict[Split, Folder], findings: Findings) -> dict[Split | None, Part]:
    """Parts of class folders. Test images without classes are told and left out: nothing says what they show."""
    names = ", ".join(folder.shown for folder in splits.values())
    _refuse_loose(top)
    if "train" not in splits:
        raise wrong(f"There is no train/ beside {names}. {_WANTED} {_OR_CLASSES}")
    for folder in top.folders:
        if folder not in splits.values() and folder.count:
            raise wrong(
                f"{folder.shown} ({_images(folder)}) lies beside {names}: move its images into the class folders there, or leave "
                f"it out. {_OR_CLASSES}"
            )
    train = splits["train"]
    unlabelled = splits.get("test")
    if unlabelled is not None and unlabelled.count and _is_unlabelled(unlabelled, train):
        _tell_unlabelled(unlabelled, findings)
    else:
        unlabelled = None
    in_order = (split for split in ("train", "val", "test") if split in splits)
    return {split: _by_folders(splits[split]) for split in in_order if splits[split] is not unlabelled}


def _is_unlabelled(test: Folder, train: Folder) -> bool:
    """All in one place that is no class's."""
    classes = {folder.name for folder in train.folders}
    return bool(train.folders) and len(test.places) == 1 and not classes & {folder.name for folder in test.folders}


def _tell_unlabelled(test: Folder, findings: Findings) -> None:
    findings.add(
        "test_without_labels",
        Level.WARNING,
        f"{test.shown} is left out: its images lie in no class folders, so nothing says what they show.",
        (test.places[0].shown + picture.name for picture in test.places[0].pictures),
    )


def _refuse_other_classes(train: Part, test: Part) -> None:
    for one, other in ((test, train), (train, test)):
        if lacking := sorted(one.classes.keys() - other.classes.keys()):
            raise wrong(
                f"There is {one.shown}{lacking[0]}/ but no {other.shown}{lacking[0]}/: every class needs images to train and to "
                "test with. Add the one, or leave the other out."
            )


# --- classes by folders


def _by_folders(folder: Folder, arrangement: Arrangement = "auto") -> Part:
    if not folder.folders:
        raise wrong(
            f"{folder.shown} has {_images(folder)} and no class folders. Sort them into one folder for every class, or put a table of "
            "their names and labels beside them; or, if they are to test with, leave it out, and a fifth of every class is kept for "
            "testing."
        )
    _refuse_loose(folder)
    if arrangement == "auto":
        _refuse_other_meanings(folder)
    return Part(folder.path, {inside.name: _class(inside, arrangement) for inside in folder.folders}, folder.shown)


def _refuse_other_meanings(folder: Folder) -> None:
    """Folders that would make classes, and by their names mean something else."""
    names = [inside.name for inside in folder.folders]
    seen = _listed([inside.shown for inside in folder.folders])
    if len(names) > 1 and all(_NUMBERED.fullmatch(name) for name in names):
        raise wrong(
            f"{seen} look like parts of one set, not like classes. Put them together, with one folder of images for every class; or "
            f"call one train/ and one val/, with such folders in them. {_OR_CLASSES}"
        )
    if _look_like_kinds(folder.folders):
        raise wrong(
            f"{seen} look like the pictures of one set and what belongs to each of them, as for detection or segmentation, not like "
            "classes. Sort the pictures into one folder for every class, or put a table of their names and labels beside them. "
            f"{_OR_CLASSES}"
        )
    inside = {tuple(sorted(part.name for part in each.folders if part.count)) for each in folder.folders}
    if len(names) > 1 and len(inside) == 1 and len(inner := inside.pop()) > 1:
        raise wrong(
            f"{seen} hold the same folders ({_listed([f'{name}/' for name in inner])}), as parts of a dataset do. Call them train/, val/ "
            f"and test/, or put what they hold together. {_OR_CLASSES}"
        )


def _look_like_kinds(folders: Iterable[Folder]) -> bool:
    names = {folder.name.lower() for folder in folders}
    return bool(names & _PICTURES) and bool(names & _ABOUT) and names <= _PICTURES | _ABOUT


def _class(folder: Folder, arrangement: Arrangement) -> list[Path]:
    """The pictures of a class, which lie in one place: its folder, or one inside it; or all that lie below it."""
    places = folder.places
    if len(places) > 1 and arrangement == "auto":
        raise wrong(
            f"{folder.shown} has images in several folders ({_listed([place.shown for place in places])}), and they would become one "
            "class. If they are classes, move them up beside the others; if not, put all images into one folder, or say layout=classes."
        )
    if places:
        return [picture for place in places for picture in place.pictures]
    others = [inside.shown + other.name for inside in folder.walk() for other in inside.others]
    kinds = {kind: advice for name in others if (told := kind_not_read(name)) for kind, advice in [told]}
    why = f": {_listed(others)} cannot be used" if others else ""
    advice = "".join(f" {kind} is not read: {what}." for kind, what in kinds.items())
    raise wrong(
        f"The class folder {folder.shown} has no images{why}.{advice} Put some into it, or leave it out. {READ}."
    )


def _refuse_loose(folder: Folder) -> None:
    if folder.pictures:
        loose = _listed([folder.shown + picture.name for picture in folder.pictures])
        raise wrong(f"Beside the class folders lies {loose}; put every image into one of them.")


def _no_classes(whole: Folder, top: Folder) -> str:
    if not top.pictures:
        others = [name for name in _others(whole) if kind_not_read(name)]
        return f"There are no class folders with images{f' ({_listed(others)} cannot be used)' if others else ''}. {_WANTED} {READ}."
    if top is whole:
        return f"{_images(top)} lie in no class folder. {_WANTED}"
    return f"There is one class folder, {top.shown} with {_images(top)}; at least two are needed. {_WANTED}"


# --- classes by a table


def _is_flat(top: Folder, splits: dict[Split, Folder]) -> bool:
    """Whether pictures lie where class folders would: then a table may say what they show."""
    if top.pictures:
        return True
    inside = list(splits.values()) or (top.folders if _look_like_kinds(top.folders) else [])
    return any(folder.count for folder in inside) and not any(
        len(folder.places) > 1 for folder in inside if folder.pictures or folder.folders
    )


def _by_labels(
    top: Folder, splits: dict[Split, Folder], labels: Labels, findings: Findings
) -> dict[Split | None, Part]:
    """Parts as the table says, or as the folders are called that the pictures lie in."""
    found: dict[Split | None, dict[str, list[Path]]] = {}
    nameless: list[str] = []
    for place in top.places:
        around = next((split for split, folder in splits.items() if place in folder.places), None)
        for picture in place.pictures:
            label = labels.of.get(picture)
            if label is None:
                nameless.append(place.shown + picture.name)
            else:
                found.setdefault(label.split or around, {}).setdefault(label.name, []).append(picture)
    if nameless:
        findings.add(
            "pictures_without_label", Level.WARNING, "Pictures that no table gives a label are left out.", nameless
        )
    _refuse_twins({name for classes in found.values() for name in classes})
    if None in found and len(found) > 1:
        raise wrong(
            "The table of labels says of some pictures which part they are for, and of others not; say it of all or of none."
        )
    if None not in found and "train" not in found:
        raise wrong(
            f"No picture to train with has a label in the tables ({_listed([path.name for path in labels.tables])})."
        )
    return {
        split: Part(
            top.path, {name: sorted(classes[name]) for name in sorted(classes)}, f"{split}/" if split else "", True
        )
        for split, classes in found.items()
    }


def _refuse_twins(names: Iterable[str]) -> None:
    spelling: dict[str, str] = {}
    for name in sorted(names):
        if (twin := spelling.setdefault(folded(name), name)) != name:
            raise wrong(f"There are the labels {twin!r} and {name!r}; write what is one class in one way.")


# --- what is kept, and what is told


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


def _tell_the_rest(whole: Folder, labels: Labels, findings: Findings) -> None:
    used = {folder.shown + path.name for folder in whole.walk() for path in folder.others if path in labels.tables}
    others = [name for name in _others(whole) if name not in used]
    pictures = [name for name in others if kind_not_read(name)]
    rest = [name for name in others if name not in set(pictures)]
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


def _others(whole: Folder) -> list[str]:
    return [folder.shown + other.name for folder in whole.walk() for other in folder.others]


def _images(folder: Folder) -> str:
    return f"{folder.count:,} image{'s' if folder.count != 1 else ''}"


def _listed(names: list[str]) -> str:
    more = f" and {len(names) - NAMED:,} more" if len(names) > NAMED else ""
    return ", ".join(names[:NAMED]) + more
