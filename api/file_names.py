"""What files are called when they are saved: by the names that people have given, in characters that every system takes (RFC 6266, RFC 8187)."""

from __future__ import annotations

import re
import unicodedata
from urllib.parse import quote
from uuid import UUID

from store.states import Role
from store.tables import Architecture, Training

#: Bytes of UTF-8 that a name has at most: with an id and a suffix behind it, every file system takes it.
_LONGEST = 120

#: Letters, marks upon them and digits of any script. All else, what steers a terminal or leads to another folder included, is a hyphen.
_KEPT = frozenset("LMN")

_OF_SEARCH = {
    Role.WINNER: "winner of {search}",
    Role.CONTROL: "control of {search}",
    Role.SELECTED: "selected from {search}",
    Role.REFERENCE: "{name} of {search}",
}


def of_network(network: Architecture) -> str:
    """How files of a network begin: its name, or what it is to its search, and the last digits of its id."""
    return _stem(title(network), network.id)


def title(network: Architecture) -> str:
    """Its name, or what it is to its search; empty of one that was given without a name."""
    named = network.role is not Role.REFERENCE and network.name
    return named or _OF_SEARCH.get(network.role, "").format(search=network.search, name=network.name)


def of_training(training: Training) -> str:
    """How files of a training begin: its name or, of one of a search, which of its networks it has trained."""
    called = training.job.name if training.alone else f"{training.network} of {training.job.name}"
    return _stem(called, training.id)


def disposition(filename: str, *, inline: bool) -> str:
    """``Content-Disposition`` of a file; a name beyond ASCII comes twice, as clients that know no other encoding read it first."""
    kind = "inline" if inline else "attachment"
    if filename.isascii():
        return f'{kind}; filename="{filename}"'
    stem, _, suffixes = filename.partition(".")
    plain = (
        _safe("".join(filter(str.isascii, unicodedata.normalize("NFKD", stem)))) or "file"
    )  # Letters without what is upon them.
    return f"{kind}; filename=\"{plain}.{suffixes}\"; filename*=UTF-8''{quote(filename, safe='')}"


def _stem(called: str, id_: UUID) -> str:
    safe = _safe(called).encode()[:_LONGEST].decode(errors="ignore")
    return f"{safe.strip('-_') or 'network'}-{str(id_)[-8:]}"


def _safe(text: str) -> str:
    """Words and hyphens."""
    letters = unicodedata.normalize("NFC", text)
    kept = (each if each == "_" or unicodedata.category(each)[0] in _KEPT else "-" for each in letters)
    return re.sub("-{2,}", "-", "".join(kept)).strip("-")
