"""Classes by a table of names and labels, where the images lie flat. Torch-free."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from dna_engine.images.check.report import Findings, Level
from dna_engine.images.layout.class_folders import look_like_kinds
from dna_engine.images.layout.folders import Folder, folded, wrong
from dna_engine.images.layout.labels import Labels
from dna_engine.images.layout.parts import Part, listed
from dna_engine.images.layout.split_names import Split


def is_flat(top: Folder, splits: dict[Split, Folder]) -> bool:
    """Whether pictures lie where class folders would: then a table may say what they show."""
    if top.pictures:
        return True
    inside = list(splits.values()) or (top.folders if look_like_kinds(top.folders) else [])
    return any(folder.count for folder in inside) and not any(
        len(folder.places) > 1 for folder in inside if folder.pictures or folder.folders
    )


def by_labels(top: Folder, splits: dict[Split, Folder], labels: Labels, findings: Findings) -> dict[Split | None, Part]:
    """Parts as the table says, or as the folders are called that the pictures lie in."""
    found: dict[Split | None, dict[str, list[Path]]] = {}
    nameless: list[str] = []
    around = {place.path: split for split, folder in splits.items() for place in folder.places}
    for place in top.places:
        for picture in place.pictures:
            label = labels.of.get(picture)
            if label is None:
                nameless.append(place.shown + picture.name)
            else:
                found.setdefault(label.split or around.get(place.path), {}).setdefault(label.name, []).append(picture)
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
            f"No picture to train with has a label in the tables ({listed([path.name for path in labels.tables])})."
        )
    return {
        split: Part(
            top.path, {name: sorted(classes[name]) for name in sorted(classes)}, f"{split}/" if split else "", True
        )
        for split, classes in found.items()
    }


def _refuse_twins(names: Iterable[str]) -> None:
    """Two classes on one system would be one on another."""
    spelling: dict[str, str] = {}
    for name in sorted(names):
        if (twin := spelling.setdefault(folded(name), name)) != name:
            raise wrong(f"There are the labels {twin!r} and {name!r}; write what is one class in one way.")
