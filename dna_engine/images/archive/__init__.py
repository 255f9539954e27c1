"""Archives from strangers: files come out under names that stay inside the folder, and never more than was allowed.

What an archive claims is believed only until it costs something: counts, sizes and lengths of names are compared with their limits
before anything of that size is read, and every stream is inflated in pieces. The readers are our own: ``tarfile`` reads the
longest name or note wholly into memory, ``zipfile`` the whole directory, and inflates bzip2 and LZMA without a bound; the
filters of their extraction have been bypassed (CVE-2025-4517, -4330, -4435). Only plain files are written, no link is ever made.
"""

from __future__ import annotations

from dna_engine.images.archive.limits import Limits
from dna_engine.images.archive.unpacking import pack, unpack

__all__ = ["Limits", "pack", "unpack"]
