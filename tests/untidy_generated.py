"""Hostile archives that are made up: kinds of harm drawn, put together and packed by a seed. Beside ``untidy_archives``, where each is chosen.

``hostile(seed)`` gives the same archive for the same seed.
"""

from __future__ import annotations

import bz2
import gzip
import io
import lzma
import stat
import struct
import tarfile
import unicodedata
import warnings
import zipfile
from collections.abc import Callable
from dataclasses import dataclass
from random import Random

from tests.untidy import picture
from tests.untidy_archives import GOOD, HOSTILE

#: How every file is called that an archive should not have got in.
EVIL = "dna-evil.png"
#: What is in it.
_LOOT = picture(77)
#: Files and folders that an archive may hold here: those of very many take long to make.
ENTRIES = 500
#: Bytes that come out of a small archive, where 1 MiB or 200 times its size may.
_BOMB = 6 << 20


@dataclass(frozen=True)
class Hostile:
    """An archive, what was done to it, and whether the documentation refuses it; of another, what is good may be read."""

    kinds: tuple[str, ...]
    content: bytes
    refused: bool


@dataclass(frozen=True)
class _Entry:
    """A file, or what pretends to be one: its type is that of a tar's entry."""

    name: str
    content: bytes = _LOOT
    type: bytes = tarfile.REGTYPE


_Sin = Callable[[Random], list[_Entry]]


def hostile(seed: int) -> Hostile:
    """Entries that are refused, a structure that lies, or bytes that are damaged; packed in one of many ways."""
    random = Random(seed)
    return random.choice((_of_entries, _of_entries, _of_entries, _of_bytes, _of_structure, _of_outside, _of_known))(
        random
    )


def _of_entries(random: Random) -> Hostile:
    """Some entries that are refused, among good ones."""
    chosen = random.sample(list(_SINS), random.randint(1, 3))
    entries = [_Entry(name, content) for name, content in GOOD.items()]
    for kind in chosen:
        for entry in _SINS[kind](random):
            entries.insert(random.randint(0, len(entries)), entry)
    how, packed = _packed(random, entries, small="bomb" in chosen)
    return Hostile((*chosen, how), packed, refused=True)


def _of_bytes(random: Random) -> Hostile:
    """A good archive, some bytes of which are gone, others, or there twice."""
    how, packed = _packed(random, [_Entry(name, content) for name, content in GOOD.items()])
    at = random.randrange(1, len(packed))
    stop = min(len(packed), at + random.choice((1, 4, 64, 1000)))
    kind, damaged = random.choice(
        (
            ("cut", packed[:at]),
            ("headless", packed[at:]),
            ("other bytes", packed[:at] + random.randbytes(stop - at) + packed[stop:]),
            ("one bit", packed[:at] + bytes([packed[at] ^ 1 << random.randrange(8)]) + packed[at + 1 :]),
            ("lost bytes", packed[:at] + packed[stop:]),
            ("bytes twice", packed[:stop] + packed[at:]),
            ("zeros", packed[:at] + bytes(stop - at) + packed[stop:]),
        )
    )
    return Hostile((kind, how), damaged, refused=False)


def _of_structure(random: Random) -> Hostile:
    """A zip whose directory, or whose end, lies in one field of one record."""
    packed = bytearray(_zip(random, [_Entry(name, content) for name, content in GOOD.items()]))
    if random.random() < 0.25:
        place, fields = packed.rindex(b"PK\5\6"), _END
    else:
        places = [at for at in range(len(packed)) if packed.startswith(b"PK\1\2", at)]
        place, fields = random.choice(places), _DIRECTORY
    what, offset, form = random.choice(fields)
    limit = 1 << 8 * struct.calcsize(form)
    value = random.choice((0, 1, 2, limit - 1, limit // 2, random.randrange(limit), random.randrange(256)))
    refused = (what == "flags" and bool(value & 1)) or (what == "method" and value not in (0, 8))
    struct.pack_into(form, packed, place + offset, value)
    return Hostile((f"{what} says {value}",), bytes(packed), refused)


def _of_outside(random: Random) -> Hostile:
    """A good archive inside or behind something else."""
    how, packed = _packed(random, [_Entry(name, content) for name, content in GOOD.items()])
    head = random.choice(
        (b"<script>", b"%PDF-1.7\n", b"\x7fELF", picture(form="GIF"), b"Rar!\x1a\x07\0", random.randbytes(512))
    )
    zipped = how.startswith("zip")
    kind, made, refused = random.choice(
        (
            ("behind a head", head + packed, True),
            ("another magic", b"\0NOT" + packed[4:], how != "tar"),
            ("in a gz", gzip.compress(packed), how != "tar"),
            ("in an xz", lzma.compress(packed), how != "tar"),
            ("in a bz2", bz2.compress(packed), how != "tar"),
            ("before another", packed + _zip(random, [_Entry(f"cat/{EVIL}")]), False),
            (
                "with a long comment",
                packed[:-2] + b"\xff\xff" + 0xFFFF * b"A" if zipped else packed + bytes(1 << 16),
                False,
            ),
        )
    )
    return Hostile((kind, how), made, refused)


def _of_known(random: Random) -> Hostile:
    """One of those that were chosen, its bytes damaged: it may not get in by that."""
    kind = random.choice(list(HOSTILE))
    packed = HOSTILE[kind][0]()
    at = random.randrange(len(packed) + 1)
    return Hostile((kind, "damaged"), packed[:at] + random.randbytes(1) + packed[at + 1 :], refused=False)


def _out(random: Random) -> str:
    """A name that leads out of any folder, by many ways that mean the same."""
    steps = [random.choice(("..", "..", "cat/..", "./..", "cat//..", "dog/../..")) for _ in range(random.randint(1, 6))]
    separator = random.choice(("/", "/", "//", "\\", "/./"))
    start = random.choice(("", "", "cat/../../", "/", "//", "C:/", "\\\\host\\"))
    return start + separator.join(["..", *steps, EVIL])


def _strange(random: Random) -> str:
    """A name with a character that is none of a name's."""
    at, character = random.randrange(len(EVIL)), chr(random.choice((*range(1, 32), 127, *range(128, 160))))
    return f"cat/{EVIL[:at]}{character}{EVIL[at:]}"


def _twin(random: Random) -> list[_Entry]:
    """Another file that some system holds to be one of the good ones, or two that it holds to be one another."""
    if random.random() < 0.5:
        return [_Entry(random.choice(list(GOOD)).swapcase().replace("CAT", "cat").replace("DOG", "dog"))]
    letter = random.choice("éüåñ가")
    return [_Entry(f"cat/{unicodedata.normalize(form, letter)}.png") for form in ("NFC", "NFD")]


def _twins(random: Random) -> list[_Entry]:
    """Two folders that are one on some systems."""
    first = random.choice(("cat", "Größe", "é", "ﬁsh"))
    second = random.choice((first.upper(), first.title())) if first == "cat" else first.upper()
    return [_Entry(f"{first}/{EVIL}"), _Entry(f"{second}/2{EVIL}")]


def _both(random: Random) -> list[_Entry]:
    """A file that is a folder."""
    return [_Entry(f"{random.choice(list(GOOD))}/{EVIL}")]


def _bomb(random: Random) -> list[_Entry]:
    """More comes out than may."""
    return [_Entry(f"cat/{EVIL}", random.choice((b"\0", b"ab")) * _BOMB)]


def _many(random: Random) -> list[_Entry]:
    """More files or folders than may be."""
    return [_Entry(f"cat/{number}{EVIL}", b"") for number in range(ENTRIES + 1)]


def _many_folders(random: Random) -> list[_Entry]:
    """The same, with nothing in them."""
    return [_Entry(f"e{number}/", b"", tarfile.DIRTYPE) for number in range(ENTRIES + 1)]


#: Every kind of entry that is refused, whatever else is in the archive and however it is packed.
_SINS: dict[str, _Sin] = {
    "leads out": lambda random: [_Entry(_out(random))],
    "absolute": lambda random: [_Entry(f"{random.choice(('/', '//', '/cat/', '/./'))}{EVIL}")],
    "strange letter": lambda random: [_Entry(_strange(random))],
    "long part": lambda random: [_Entry(f"cat/{random.randint(250, 2000) * 'x'}{EVIL}")],
    "long name": lambda random: [_Entry(f"cat/{random.randint(130, 400) * 'sub/dir/'}{EVIL}")],
    "link": lambda random: [_Entry(f"cat/{EVIL}", b"/etc/passwd", tarfile.SYMTYPE)],
    "linked folder": lambda random: [_Entry("out", b"/", tarfile.SYMTYPE), _Entry(f"out/{EVIL}")],
    "device": lambda random: [_Entry(f"cat/{EVIL}", b"", random.choice((tarfile.CHRTYPE, tarfile.BLKTYPE, tarfile.FIFOTYPE)))],
    "one file": _twin,
    "one folder": _twins,
    "file and folder": _both,
    "bomb": _bomb,
    "too many files": _many,
    "too many folders": _many_folders,
}  # fmt: skip

#: Fields of records of a zip, behind their beginnings.
_DIRECTORY = [
    ("flags", 8, "<H"), ("method", 10, "<H"), ("checksum", 16, "<L"), ("packed size", 20, "<L"), ("size", 24, "<L"),
    ("length of the name", 28, "<H"), ("length of the extra field", 30, "<H"), ("length of the comment", 32, "<H"), ("place", 42, "<L"),
]  # fmt: skip
_END = [
    ("disk", 4, "<H"),
    ("entries here", 8, "<H"),
    ("entries", 10, "<H"),
    ("bytes", 12, "<L"),
    ("start", 16, "<L"),
    ("comment", 20, "<H"),
]


def _packed(random: Random, entries: list[_Entry], *, small: bool = False) -> tuple[str, bytes]:
    """How the entries are packed, at any rate so that they get small, and what comes of it."""
    if random.random() < 0.5:
        return "zip", _zip(random, entries)
    kind = random.choice(("gz", "xz") if small else ("", "gz", "bz2", "xz"))
    return f"tar.{kind}".rstrip("."), _tar(random, entries, kind)


class _Stream(io.RawIOBase):
    """Cannot be sought: what is written to it has sizes behind the contents."""

    def __init__(self) -> None:
        self.written = bytearray()

    def writable(self) -> bool:
        return True

    def write(self, data: bytes) -> int:  # type: ignore[override]
        self.written += data
        return len(data)


def _zip(random: Random, entries: list[_Entry]) -> bytes:
    modes = {
        tarfile.SYMTYPE: stat.S_IFLNK, tarfile.CHRTYPE: stat.S_IFCHR, tarfile.BLKTYPE: stat.S_IFBLK, tarfile.FIFOTYPE: stat.S_IFIFO,
        tarfile.DIRTYPE: stat.S_IFDIR, tarfile.REGTYPE: stat.S_IFREG,
    }  # fmt: skip
    out = _Stream()
    with warnings.catch_warnings(), zipfile.ZipFile(out, "w") as archive:
        warnings.simplefilter("ignore", UserWarning)  # Names that are there twice.
        for entry in entries:
            info = zipfile.ZipInfo(entry.name)
            info.external_attr = (modes[entry.type] | 0o644) << 16
            big = len(entry.content) > 1 << 20
            info.compress_type = (
                zipfile.ZIP_DEFLATED if big else random.choice((zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED))
            )
            archive.writestr(info, entry.content)
        archive.comment = random.choice((b"", b"made by hand", random.randbytes(300).replace(b"PK", b"pk")))
    return bytes(out.written)


def _tar(random: Random, entries: list[_Entry], kind: str) -> bytes:
    form = random.choice((tarfile.GNU_FORMAT, tarfile.PAX_FORMAT))
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode=f"w:{kind}", format=form) as archive:  # type: ignore[call-overload]
        for entry in entries:
            info = tarfile.TarInfo(entry.name)
            info.type = entry.type
            if entry.type == tarfile.SYMTYPE:
                info.linkname = entry.content.decode()
            info.size = len(entry.content) if entry.type == tarfile.REGTYPE else 0
            archive.addfile(info, io.BytesIO(entry.content) if info.size else None)
    return out.getvalue()
