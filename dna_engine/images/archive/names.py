"""Names inside archives: inside the folder, the same on every system, and no two that some system holds to be one."""

from __future__ import annotations

import hashlib
import re
import unicodedata

from dna_engine.images.archive.limits import Allowance, refusal
from dna_engine.images.layout.folders import folded

#: Bytes of a part of a name, as file systems allow, and of a whole one.
_PART, _NAME = 255, 1024
#: A disk, on some systems.
_DRIVE = re.compile("[A-Za-z]:")


def safe_parts(name: str) -> list[str]:
    """The parts of an entry's name, without those that say nothing (``./a//b`` is a, b).

    Raises:
        DataError: the name leads out of the folder, is not the same on every system, or is too long.
    """
    parts = [part for part in name.split("/") if part not in ("", ".")]
    unsafe = name.startswith("/") or ".." in parts or not parts or _DRIVE.fullmatch(parts[0]) is not None
    long = len(_bytes(name)) > _NAME or any(len(_bytes(part)) > _PART for part in parts)
    strange = not long and any(
        character == "\\" or unicodedata.category(character) in ("Cc", "Cs") for character in name
    )
    if unsafe or strange or long:
        raise refusal(
            f"The archive holds a file named {name[:200]!r}. Names must stay inside the archive's folder, without backslashes "
            f"and control characters, and be at most {_NAME:,} bytes long."
        )
    return parts


class Names:
    """The names that an archive has used so far."""

    def __init__(self, allowed: Allowance) -> None:
        self._allowed = allowed
        self._files: set[bytes] = set()
        self._spelling: dict[bytes, str] = {}
        self.folders: dict[str, None] = {}  # In the order in which they came.

    def folder(self, parts: list[str]) -> None:
        """Takes the names of a folder and of those that it lies in.

        Raises:
            DataError: there are too many, one is a file's name, or differs from another in case or composition only.
        """
        if "/".join(parts) in self.folders:
            return
        for path in ("/".join(parts[: depth + 1]) for depth in range(len(parts))):
            if path in self.folders:
                continue
            self._allowed.folders(len(self.folders) + 1)
            if (key := _key(path)) in self._files:
                raise file_and_folder()
            if key in self._spelling:
                raise refusal(
                    f"The archive holds the folders {self._spelling[key][:200]!r} and {path[:200]!r}, which are one on some systems. "
                    "Rename one, or put their images into one folder."
                )
            self._spelling[key] = path
            self.folders[path] = None

    def file(self, parts: list[str]) -> None:
        """Takes a name for a file whose folders are known.

        Raises:
            DataError: it is taken by another file or by a folder.
        """
        key = _key("/".join(parts))
        if key in self._spelling:
            raise file_and_folder()
        if key in self._files:
            raise refusal(
                f"The archive holds {'/'.join(parts)[:200]!r} twice, or another name that differs in case only; some systems "
                "would keep one of the two. Rename or remove one."
            )
        self._files.add(key)


def file_and_folder() -> Exception:
    """One name cannot be both."""
    return refusal("The archive holds a file and a folder of one name; pack it anew.")


def _key(path: str) -> bytes:
    """Short, whatever the length of a name: an archive holds many."""
    return hashlib.blake2b(folded(path).encode(), digest_size=16).digest()


def _bytes(text: str) -> bytes:
    return text.encode(errors="replace")
