"""Turns the bytes of names into text, and tells where it had to find out how."""

from __future__ import annotations

from collections.abc import Iterable

from dna_engine.errors import DataError
from dna_engine.images.check.report import Findings, Level
from dna_engine.images.encodings import encoding_of, known, told

#: Bytes of names that are looked at to find their encoding.
_SAMPLE = 1 << 14
#: Bytes of a name that are told.
_SHOWN = 200


class Spelling:
    """Of names that do not say in which encoding they are written.

    Args:
        encoding: what the sender says they are.
        findings: where it is told that an encoding had to be found out.

    Raises:
        DataError: there is no such encoding; reading raises it where names are not of the one that is used, or could be of several.
    """

    def __init__(self, encoding: str | None = None, findings: Findings | None = None) -> None:
        self._encoding = None if encoding is None else known(encoding)
        self._findings = Findings() if findings is None else findings

    def look(self, names: Iterable[bytes]) -> None:
        """Finds out how such names were written, unless that is known, from as many of them as are looked at."""
        if self._encoding is None and (sample := _first(names)):
            self._encoding = encoding_of(sample)
            if self._encoding != "utf-8":
                first = [name.decode(self._encoding, "replace").replace("\\", "/") for name in sample[:3]]
                self._findings.add("names_decoded", Level.WARNING, told(self._encoding, first))

    def read(self, name: bytes) -> str:
        """The text of a name.

        Raises:
            DataError: it is not of the encoding that others have.
        """
        encoding = self._encoding or "utf-8"
        try:
            return name.decode(encoding)
        except ValueError as error:
            shown = name[:_SHOWN].decode(encoding, "backslashreplace")
            raise DataError(
                f"The archive holds the name {shown!r}, which is not written in {encoding}. Say in which encoding its names are, as "
                "encoding; or pack it anew with names in UTF-8.",
                param="encoding",
            ) from error


def _first(names: Iterable[bytes]) -> list[bytes]:
    found: list[bytes] = []
    left = _SAMPLE
    for name in names:
        left -= len(name) + 1
        if found and left < 0:
            break
        found.append(name)
    return found
