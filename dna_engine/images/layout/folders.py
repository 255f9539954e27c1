"""Reads what lies in a folder, through links, without what systems leave behind. Torch-free."""

from __future__ import annotations

import os
import unicodedata
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from dna_engine.errors import DataError
from dna_engine.images.check.report import printable
from dna_engine.images.pictures.kinds import is_picture_file
from dna_engine.images.pictures.picture import is_picture

#: Folders inside one another that are read.
_DEEPEST = 64
#: What systems and programs leave in folders, beside hidden files.
_CLUTTER = frozenset(
    {
        "__macosx", "thumbs.db", "ehthumbs.db", "ehthumbs_vista.db", "desktop.ini", "picasa.ini", "icon\r", "@eadir", "$recycle.bin",
        "system volume information", "lost+found", "__pycache__",
    }
)  # fmt: skip


def is_clutter(name: str) -> bool:
    """Whether a file or folder of that name was left behind by a system or an editor, and is nobody's data."""
    return name.startswith((".", "~$")) or name.lower() in _CLUTTER


def folded(name: str) -> str:
    """The same for names that differ only in case or in how their letters are composed: some systems hold them to be one."""
    return unicodedata.normalize("NFC", unicodedata.normalize("NFC", name).casefold())


@dataclass(frozen=True)
class Folder:
    """What lies in a folder, all sorted. ``shown`` is its name as below the folder that the user named.

    Attributes:
        others: files that are no pictures.
        clutter: names of what was left behind in it, which is not looked into.
    """

    path: Path
    shown: str
    pictures: list[Path] = field(default_factory=list)
    others: list[Path] = field(default_factory=list)
    folders: list[Folder] = field(default_factory=list)
    clutter: list[str] = field(default_factory=list)

    @property
    def name(self) -> str:
        return self.path.name

    @property
    def count(self) -> int:
        """Pictures in it and below."""
        return sum(len(folder.pictures) for folder in self.walk())

    @property
    def places(self) -> list[Folder]:
        """It and the folders below, as far as pictures lie in them directly."""
        return [folder for folder in self.walk() if folder.pictures]

    @property
    def other_names(self) -> list[str]:
        """Files in it and below that are no pictures, as shown."""
        return [folder.shown + other.name for folder in self.walk() for other in folder.others]

    def walk(self) -> Iterator[Folder]:
        """It and all below."""
        yield self
        for folder in self.folders:
            yield from folder.walk()


def read_folder(root: Path, *, within: Sequence[Path] | None = None) -> Folder:
    """All that lies in a folder.

    Args:
        within: folders, without links in their paths, that links below ``root`` must stay in; default: they may lead anywhere.

    Raises:
        DataError: something in it cannot be read, a link leads out or to nothing, or two folders are one on some systems.
    """
    return _Reader(within).read(root)


@dataclass(frozen=True)
class _Reader:
    """Reads folders, through links that stay ``within``."""

    within: Sequence[Path] | None

    def read(self, path: Path, shown: str = "", above: tuple[tuple[int, int], ...] = ()) -> Folder:
        """Never goes into a folder that it lies in."""
        found = Folder(path, shown)
        about = path.stat()
        itself = (about.st_dev, about.st_ino)
        if itself in above:
            return found
        if len(above) > _DEEPEST:
            raise wrong(f"{shown[:200]} lies deeper than {_DEEPEST} folders. Move the images up.")
        for entry in _listing(path, shown):
            if is_clutter(entry.name):
                found.clutter.append(f"{shown}{entry.name}")
                continue
            self._check(entry, shown)
            inside = path / entry.name
            if entry.is_dir():
                found.folders.append(self.read(inside, f"{shown}{entry.name}/", (*above, itself)))
            else:
                is_one = entry.is_file() and is_picture_file(inside)
                (found.pictures if is_one else found.others).append(inside)
        _refuse_twins([folder.name for folder in found.folders], shown)
        return found

    def _check(self, entry: os.DirEntry[str], shown: str) -> None:
        """What is not read later in vain, or without end, or from where it should not be."""
        name = printable(f"{shown}{entry.name}")
        if printable(entry.name) != entry.name:
            raise wrong(f"The name {name} is not written in UTF-8, or holds control characters; rename it.")
        try:
            if entry.is_symlink() and self.within is not None:
                target = Path(entry.path).resolve(strict=True)
                if not any(target.is_relative_to(root) for root in self.within):
                    raise wrong(
                        f"{name} is a link that leads out of the folders that may be used; put what it leads to there."
                    )
            usable = entry.is_dir() or entry.is_file() or not is_picture(entry.name)
        except (OSError, RuntimeError):
            usable = False
        if not usable:
            raise wrong(f"{name} is neither a file nor a folder, or a link to nothing; remove it.")


def _listing(path: Path, shown: str) -> list[os.DirEntry[str]]:
    try:
        with os.scandir(path) as entries:
            return sorted(entries, key=lambda entry: entry.name)
    except OSError as error:
        raise wrong(f"The folder {shown or 'itself'} cannot be read ({error.strerror}).") from error


def _refuse_twins(names: list[str], shown: str) -> None:
    """Two classes on one system would be one on another."""
    spelling: dict[str, str] = {}
    for name in names:
        twin = spelling.setdefault(folded(name), name)
        if twin != name:
            raise wrong(
                f"{shown}{twin}/ and {shown}{name}/ are one folder on some systems. Rename one, or put their images into one folder."
            )


def wrong(message: str) -> DataError:
    """What is wrong with a dataset, for whoever has it."""
    return DataError(message, param="dataset")
