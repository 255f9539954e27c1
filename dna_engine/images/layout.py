"""Which pictures of a folder are which class's, as people arrange them: for uploads, folders of a server and the command line.

Class folders lie at the top, or in ``train`` and ``test`` (or ``val``); one folder around all is passed over. What cannot be
understood in one way only is an error that says how to arrange it, and what is left out is told: no class is made, merged or
dropped in silence. Torch-free.
"""

from __future__ import annotations

import os
import random
import unicodedata
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from dna_engine.errors import DataError
from dna_engine.images.picture import SUFFIXES, is_picture

#: Share of every class that is kept for testing where there are no test images.
TEST_SHARE = 0.2
#: Folders inside one another that are read.
_DEEPEST = 64
#: Names of files that are told before the others are counted.
TOLD = 5

_WANTED = (
    "A dataset is one folder of images for every class, or train/ and test/ (or val/) with such folders. Files are taken for "
    f"images by their names: {', '.join(sorted(SUFFIXES))}."
)

#: What people call the parts of a dataset, in any case.
_SPLITS = {
    "train": ("train", "training"),
    "val": ("val", "valid", "validation"),
    "test": ("test", "testing"),
}
#: What systems leave in folders, beside hidden files.
_CLUTTER = frozenset({"__macosx", "thumbs.db", "desktop.ini"})


def is_clutter(name: str) -> bool:
    """Whether a file or folder of that name was left behind by a system or an editor, and is nobody's data."""
    return name.startswith(".") or name.lower() in _CLUTTER


def folded(name: str) -> str:
    """The same for names that differ only in case or in how their letters are composed: some systems hold them to be one."""
    return unicodedata.normalize("NFC", unicodedata.normalize("NFC", name).casefold())


@dataclass(frozen=True)
class Part:
    """Class folders below ``root``: the classes with their files, both sorted."""

    root: Path
    classes: dict[str, list[Path]]

    @property
    def files(self) -> list[Path]:
        return [path for files in self.classes.values() for path in files]


@dataclass(frozen=True)
class Layout:
    """The images to train and to test with, of the same classes, and sentences on what was left out."""

    train: Part
    test: Part
    left_out: list[str]


@dataclass(frozen=True)
class _Folder:
    """What lies in a folder, without clutter, all sorted. ``shown`` is its name as below the folder that the user named."""

    path: Path
    shown: str
    pictures: list[Path]
    others: list[Path]
    folders: list[_Folder]

    @property
    def name(self) -> str:
        return self.path.name

    @property
    def count(self) -> int:
        """Pictures in it and below."""
        return sum(len(folder.pictures) for folder in self.walk())

    def walk(self) -> Iterator[_Folder]:
        yield self
        for folder in self.folders:
            yield from folder.walk()


def read_layout(root: Path, *, within: Sequence[Path] | None = None) -> Layout:
    """The dataset that lies in a folder. Where it has no test images, a fifth of every class becomes them, the same files for
    the same names.

    Args:
        within: folders, without links in their paths, that links below ``root`` must stay in; default: they may lead anywhere.

    Raises:
        DataError: it is none, it could be understood in several ways, or a link leads out.
    """
    if not root.is_dir():
        raise _wrong(f"{root} is no folder. {_WANTED}")
    whole = _Reader(within).read(root)
    top = whole
    while not top.pictures and len(top.folders) == 1 and "train" not in _splits(top):
        top = top.folders[0]
    if not any(folder.count for folder in top.folders):
        raise _wrong(_no_classes(whole, top))
    if splits := _splits(top):
        train, test, left_out = _from_splits(top, splits)
    else:
        train, test = _keep_some(_part(top))
        left_out = []
    if len(train.classes) < 2:
        raise _wrong(f"There is one class folder, {', '.join(train.classes)}/; at least two are needed.")
    return Layout(train, test, left_out + _other_files(whole))


@dataclass(frozen=True)
class _Reader:
    """Reads folders, through links that stay ``within``."""

    within: Sequence[Path] | None

    def read(self, path: Path, shown: str = "", above: tuple[tuple[int, int], ...] = ()) -> _Folder:
        """Never goes into a folder that it lies in."""
        found = _Folder(path, shown, [], [], [])
        about = path.stat()
        itself = (about.st_dev, about.st_ino)
        if itself in above:
            return found
        if len(above) > _DEEPEST:
            raise _wrong(f"{shown[:200]} lies deeper than {_DEEPEST} folders. {_WANTED}")
        entries = _listing(path, shown)
        for entry in entries:
            self._check(entry, shown)
            if entry.is_dir():
                found.folders.append(self.read(path / entry.name, f"{shown}{entry.name}/", (*above, itself)))
            else:
                (found.pictures if is_picture(entry.name) else found.others).append(path / entry.name)
        _refuse_twins([folder.name for folder in found.folders], shown)
        return found

    def _check(self, entry: os.DirEntry[str], shown: str) -> None:
        """What is not read later in vain, or without end, or from where it should not be."""
        name = f"{shown}{entry.name}".encode(errors="replace").decode()
        if not entry.name.isprintable() and any("\ud800" <= character <= "\udfff" for character in entry.name):
            raise _wrong(f"The name {name} is not written in UTF-8; rename it.")
        try:
            if entry.is_symlink() and self.within is not None:
                target = Path(entry.path).resolve(strict=True)
                if not any(target.is_relative_to(root) for root in self.within):
                    raise _wrong(
                        f"{name} is a link that leads out of the folders that may be used; put what it leads to there."
                    )
            usable = entry.is_dir() or entry.is_file() or not is_picture(entry.name)
        except (OSError, RuntimeError):
            usable = False
        if not usable:
            raise _wrong(f"{name} is neither a file nor a folder, or a link to nothing; remove it.")


def _no_classes(whole: _Folder, top: _Folder) -> str:
    if not top.pictures:
        return f"There are no class folders with images. {_WANTED}"
    if top is whole:
        return f"{_images(top)} lie in no class folder. {_WANTED}"
    return f"There is one class folder, {top.shown} with {_images(top)}; at least two are needed."


def _listing(path: Path, shown: str) -> list[os.DirEntry[str]]:
    try:
        with os.scandir(path) as entries:
            return sorted((entry for entry in entries if not is_clutter(entry.name)), key=lambda entry: entry.name)
    except OSError as error:
        raise _wrong(f"The folder {shown or 'itself'} cannot be read ({error.strerror}).") from error


def _refuse_twins(names: list[str], shown: str) -> None:
    """Two classes on one system would be one on another."""
    spelling: dict[str, str] = {}
    for name in names:
        twin = spelling.setdefault(folded(name), name)
        if twin != name:
            raise _wrong(
                f"{shown}{twin}/ and {shown}{name}/ are one folder on some systems. Rename one, or put their images into one folder."
            )


def _splits(top: _Folder) -> dict[str, _Folder]:
    """Which folders are the parts of a dataset; none where such a name is a class's, since images lie in it directly."""
    named = [
        (split, folder) for folder in top.folders for split, names in _SPLITS.items() if folder.name.lower() in names
    ]
    if not any(split == "train" and folder.folders for split, folder in named) and len(named) < len(top.folders):
        return {}
    found: dict[str, _Folder] = {}
    for split, folder in named:
        if split in found:
            raise _wrong(f"{found[split].shown} and {folder.shown} are both {split} images; put them into one folder.")
        found[split] = folder
    return found


def _from_splits(top: _Folder, splits: dict[str, _Folder]) -> tuple[Part, Part, list[str]]:
    """The images to train and to test with, and what is left out beside them."""
    names = ", ".join(folder.shown for folder in splits.values())
    _refuse_loose(top)
    if "train" not in splits:
        raise _wrong(f"There is no train/ beside {names}. {_WANTED}")
    for folder in top.folders:
        if folder not in splits.values() and folder.count:
            raise _wrong(
                f"{folder.shown} ({_images(folder)}) lies beside {names}: move its images into the class folders there, or leave "
                "it out."
            )
    train = _part(splits["train"])
    tested = splits.get("val") or splits.get("test")
    if tested is None:
        return *_keep_some(train), []
    test = _part(tested)
    _refuse_other_classes(splits["train"], tested)
    left_out = [
        f"{folder.shown} ({_images(folder)}) is left out: the networks are tested on {tested.shown}."
        for folder in splits.values()
        if folder not in (splits["train"], tested)
    ]
    return train, test, left_out


def _part(folder: _Folder) -> Part:
    if not folder.folders:
        raise _wrong(
            f"{folder.shown} has {_images(folder)} and no class folders. Sort them into one folder for every class; or, if they "
            "are to test with, leave it out, and a fifth of every class is kept for testing."
        )
    _refuse_loose(folder)
    return Part(folder.path, {inside.name: _class(inside) for inside in folder.folders})


def _class(folder: _Folder) -> list[Path]:
    """The pictures of a class, which lie in one place: its folder, or one inside it."""
    places = [inside for inside in folder.walk() if inside.pictures]
    if len(places) > 1:
        raise _wrong(
            f"{folder.shown} has images in several folders ({_listed([place.shown for place in places])}), and they would become one "
            "class. If they are classes, move them up beside the others; if not, put all images into one folder."
        )
    if places:
        return places[0].pictures
    others = [inside.shown + other.name for inside in folder.walk() for other in inside.others]
    why = f": {_listed(others)} cannot be used" if others else ""
    raise _wrong(
        f"The class folder {folder.shown} has no images{why}. Put some into it, named {', '.join(sorted(SUFFIXES))}; or leave "
        "it out."
    )


def _refuse_loose(folder: _Folder) -> None:
    if folder.pictures:
        loose = _listed([folder.shown + picture.name for picture in folder.pictures])
        raise _wrong(f"Beside the class folders lies {loose}; put every image into one of them.")


def _refuse_other_classes(train: _Folder, test: _Folder) -> None:
    for one, other in ((test, train), (train, test)):
        if lacking := sorted({folder.name for folder in one.folders} - {folder.name for folder in other.folders}):
            raise _wrong(
                f"There is {one.shown}{lacking[0]}/ but no {other.shown}{lacking[0]}/: every class needs images to train and to "
                "test with. Add the one, or leave the other out."
            )


def _keep_some(whole: Part) -> tuple[Part, Part]:
    kept: dict[str, list[Path]] = {}
    for name, files in whole.classes.items():
        if len(files) < 2:
            raise _wrong(f"The class {name!r} has one image; it needs at least two, one to train and one to test with.")
        kept[name] = sorted(random.Random(name).sample(files, max(1, round(TEST_SHARE * len(files)))))
    rest = {name: sorted(set(files) - set(kept[name])) for name, files in whole.classes.items()}
    return Part(whole.root, rest), Part(whole.root, kept)


def _other_files(whole: _Folder) -> list[str]:
    others = [folder.shown + other.name for folder in whole.walk() for other in folder.others]
    return [f"Not named like images, and left out ({len(others):,}): {_listed(others)}."] if others else []


def _images(folder: _Folder) -> str:
    return f"{folder.count:,} image{'s' if folder.count != 1 else ''}"


def _listed(names: list[str]) -> str:
    more = f" and {len(names) - TOLD:,} more" if len(names) > TOLD else ""
    return ", ".join(names[:TOLD]) + more


def _wrong(message: str) -> DataError:
    return DataError(message, param="dataset")
