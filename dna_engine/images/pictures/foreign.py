"""Files that people hold to be pictures and that are not read: what they are, by their names or first bytes, and what to do. Torch-free."""

from __future__ import annotations

from pathlib import Path

#: Bytes at the start of a file that are enough to know it.
HEAD = 32
#: Files that begin like a TIFF, and hold a small picture of the large one that only their maker's program can read.
RAW = frozenset(
    {
        ".3fr", ".arw", ".cr2", ".dng", ".erf", ".iiq", ".kdc", ".mef", ".mos", ".nef", ".nrw", ".orf", ".pef", ".rw2", ".srw",
    }
)  # fmt: skip
#: Pictures that are not read, by what they are called, with what to do.
_NAMED = {
    "HEIC": ({".heic", ".heif", ".hif"}, "save them as JPEG"),
    "camera raw": (RAW | {".cr3", ".crw", ".raf", ".x3f"}, "develop them into JPEG"),
    "JPEG 2000 or JPEG XL": ({".jp2", ".j2k", ".jxl", ".jpf", ".jpx"}, "save them as JPEG or PNG"),
    "drawings or documents": ({".svg", ".eps", ".ai", ".pdf", ".psd", ".xcf"}, "save them as PNG"),
    "medical images": ({".dcm", ".nii", ".mha"}, "save each slice as PNG"),
    "arrays": ({".npy", ".npz", ".mat", ".h5", ".hdf5"}, "save each picture as PNG"),
    "videos": ({".mp4", ".mov", ".avi", ".mkv", ".webm"}, "save frames as JPEG"),
    "tables of pictures": ({".parquet", ".tfrecord", ".arrow"}, "save each picture as a file"),
    "archives": ({".zip", ".tar", ".gz", ".tgz", ".rar", ".7z"}, "unpack them beside the others"),
}  # fmt: skip
#: The same by content: where it stands, and the bytes.
_BEGINNINGS = {
    "HEIC": ((4, b"ftypheic"), (4, b"ftypheix"), (4, b"ftypmif1"), (4, b"ftypmsf1"), (4, b"ftyphevc")),
    "JPEG 2000 or JPEG XL": ((0, b"\0\0\0\x0cjP  "), (0, b"\xffO\xffQ"), (0, b"\0\0\0\x0cJXL "), (0, b"\xff\n")),
    "drawings or documents": ((0, b"<svg"), (0, b"<?xml"), (0, b"%!PS"), (0, b"%PDF"), (0, b"8BPS")),
    "videos": ((4, b"ftypqt"), (4, b"ftypisom"), (4, b"ftypmp4"), (0, b"\x1aE\xdf\xa3")),
    "archives": ((0, b"PK\3\4"), (0, b"\x1f\x8b"), (0, b"Rar!"), (0, b"7z\xbc\xaf")),
}


def kind_not_read(name: str) -> tuple[str, str] | None:
    """What pictures of that name are, and what to do so that they can be used; None for any other name."""
    suffix = Path(name).suffix.lower()
    return next(((kind, advice) for kind, (suffixes, advice) in _NAMED.items() if suffix in suffixes), None)


def content_not_read(head: bytes) -> str | None:
    """What a file is that begins so, with what to do, in words; None for anything else."""
    if not head:
        return "it is empty"
    if head.lstrip()[:9].lower().startswith((b"<!doctype", b"<html")):
        return "it is a page of a website, perhaps of a download that failed"
    for kind, beginnings in _BEGINNINGS.items():
        if any(head[at:].startswith(mark) for at, mark in beginnings):
            return f"it holds {kind}, whatever it is called: {_NAMED[kind][1]}"
    return None
