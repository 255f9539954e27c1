"""Classes by the folders that images lie in, and the parts that those lie in. Torch-free."""

from __future__ import annotations

import re
from collections.abc import Iterable
from pathlib import Path

from dna_engine.images.check.report import Findings, Level
from dna_engine.images.info import Arrangement
from dna_engine.images.layout.folders import Folder, wrong
from dna_engine.images.layout.parts import OR_CLASSES, WANTED, Part, images_in, listed
from dna_engine.images.layout.split_names import Split, split_of
from dna_engine.images.pictures.foreign import kind_not_read
from dna_engine.images.pictures.kinds import READ

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


def find_splits(top: Folder) -> dict[Split, Folder]:
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


def by_splits(top: Folder, splits: dict[Split, Folder], findings: Findings) -> dict[Split | None, Part]:
    """Parts of class folders. Test images without classes are told and left out: nothing says what they show."""
    names = ", ".join(folder.shown for folder in splits.values())
    _refuse_loose(top)
    if "train" not in splits:
        raise wrong(f"There is no train/ beside {names}. {WANTED} {OR_CLASSES}")
    for folder in top.folders:
        if folder not in splits.values() and folder.count:
            raise wrong(
                f"{folder.shown} ({images_in(folder)}) lies beside {names}: move its images into the class folders there, or leave "
                f"it out. {OR_CLASSES}"
            )
    train = splits["train"]
    unlabelled = splits.get("test")
    if unlabelled is not None and unlabelled.count and _is_unlabelled(unlabelled, train):
        _tell_unlabelled(unlabelled, findings)
    else:
        unlabelled = None
    in_order = (split for split in ("train", "val", "test") if split in splits)
    return {split: by_folders(splits[split]) for split in in_order if splits[split] is not unlabelled}


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


def by_folders(folder: Folder, arrangement: Arrangement = "auto") -> Part:
    """A part of class folders.

    Raises:
        DataError: it has none, or they could be something else than classes.
    """
    if not folder.folders:
        raise wrong(
            f"{folder.shown} has {images_in(folder)} and no class folders. Sort them into one folder for every class, or put a table of "
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
    seen = listed([inside.shown for inside in folder.folders])
    if len(names) > 1 and all(_NUMBERED.fullmatch(name) for name in names):
        raise wrong(
            f"{seen} look like parts of one set, not like classes. Put them together, with one folder of images for every class; or "
            f"call one train/ and one val/, with such folders in them. {OR_CLASSES}"
        )
    if look_like_kinds(folder.folders):
        raise wrong(
            f"{seen} look like the pictures of one set and what belongs to each of them, as for detection or segmentation, not like "
            "classes. Sort the pictures into one folder for every class, or put a table of their names and labels beside them. "
            f"{OR_CLASSES}"
        )
    inside = {tuple(sorted(part.name for part in each.folders if part.count)) for each in folder.folders}
    if len(names) > 1 and len(inside) == 1 and len(inner := inside.pop()) > 1:
        raise wrong(
            f"{seen} hold the same folders ({listed([f'{name}/' for name in inner])}), as parts of a dataset do. Call them train/, val/ "
            f"and test/, or put what they hold together. {OR_CLASSES}"
        )


def look_like_kinds(folders: Iterable[Folder]) -> bool:
    names = {folder.name.lower() for folder in folders}
    return bool(names & _PICTURES) and bool(names & _ABOUT) and names <= _PICTURES | _ABOUT


def _class(folder: Folder, arrangement: Arrangement) -> list[Path]:
    """The pictures of a class, which lie in one place: its folder, or one inside it; or all that lie below it."""
    places = folder.places
    if len(places) > 1 and arrangement == "auto":
        raise wrong(
            f"{folder.shown} has images in several folders ({listed([place.shown for place in places])}), and they would become one "
            "class. If they are classes, move them up beside the others; if not, put all images into one folder, or say layout=classes."
        )
    if places:
        return [picture for place in places for picture in place.pictures]
    others = folder.other_names
    kinds = {kind: advice for name in others if (told := kind_not_read(name)) for kind, advice in [told]}
    why = f": {listed(others)} cannot be used" if others else ""
    advice = "".join(f" {kind} is not read: {what}." for kind, what in kinds.items())
    raise wrong(
        f"The class folder {folder.shown} has no images{why}.{advice} Put some into it, or leave it out. {READ}."
    )


def _refuse_loose(folder: Folder) -> None:
    if folder.pictures:
        loose = listed([folder.shown + picture.name for picture in folder.pictures])
        raise wrong(f"Beside the class folders lies {loose}; put every image into one of them.")


def no_classes(whole: Folder, top: Folder) -> str:
    if not top.pictures:
        others = [name for name in whole.other_names if kind_not_read(name)]
        return f"There are no class folders with images{f' ({listed(others)} cannot be used)' if others else ''}. {WANTED} {READ}."
    if top is whole:
        return f"{images_in(top)} lie in no class folder. {WANTED}"
    return f"There is one class folder, {top.shown} with {images_in(top)}; at least two are needed. {WANTED}"
